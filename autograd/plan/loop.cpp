#include <autograd/kernels/lines.hpp>
#include <autograd/kernels/reduce.hpp>
#include <autograd/parallel.hpp>
#include <autograd/pass.hpp>
#include <autograd/plan/loop.hpp>

#include <algorithm>
#include <bit>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace autograd::detail
{

namespace
{

constexpr std::size_t most_inputs = most_operands + 2;
constexpr std::uint32_t no_place = 0;

/// Memory of the thread for what lies between the operations of a block.
class Scratch
{
public:
    static std::byte* take(std::size_t bytes)
    {
        thread_local Scratch mine;
        if (bytes > mine.bytes_)
        {
            mine.memory_.reset(::operator new (bytes, std::align_val_t{buffer_alignment}));
            mine.bytes_ = bytes;
        }
        return static_cast<std::byte*>(mine.memory_.get());
    }

private:
    struct Free
    {
        void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{buffer_alignment}); }
    };
    std::unique_ptr<void, Free> memory_;
    std::size_t bytes_ = 0;
};

template <class T>
const ElementwiseOperation<T>& operation_of(const Instruction& instruction)
{
    return static_cast<const ElementwiseOperation<T>&>(*instruction.operation);
}

template <class T>
Kernel<T> kernel_of(const Instruction& instruction)
{
    const ElementwiseOperation<T>& operation = operation_of<T>(instruction);
    return instruction.kind == Instruction::Kind::value ? operation.value
                                                        : operation.pullbacks[instruction.operand].kernel;
}

bool on_lines(const Instruction& instruction)
{
    return !instruction.operation->elementwise;
}

template <class T>
Simple simple_of(const Instruction& instruction)
{
    if (on_lines(instruction))
    {
        return {};
    }
    const ElementwiseOperation<T>& operation = operation_of<T>(instruction);
    if (instruction.kind == Instruction::Kind::value)
    {
        return {operation.form, instruction.inputs.front(), instruction.inputs.back()};
    }
    const ElementwisePullback<T>& pullback = operation.pullbacks[instruction.operand];
    if (pullback.form == formula::Form::other)
    {
        return {};
    }
    return {pullback.form, instruction.inputs[static_cast<std::size_t>(std::countr_zero(pullback.reads))],
            instruction.inputs[static_cast<std::size_t>(std::bit_width(pullback.reads) - 1)]};
}

/// Lines of more elements are better computed by passes over all of them.
constexpr std::size_t longest_line = std::size_t{1} << 14;
/// How many elements there may be between places where a thread may begin.
constexpr std::size_t longest_piece = std::size_t{1} << 18;

/// Whether its operation can compute a slope beside its value.
template <class T>
bool has_slope(const Instruction& instruction)
{
    return !on_lines(instruction) && operation_of<T>(instruction).value_and_slope != nullptr;
}

Lines lines_of(const Instruction& instruction, const Shape& shape)
{
    return {shape, instruction.operation->line_kernels->axis(instruction.attributes.get())};
}

std::size_t lanes_of(DType dtype)
{
    return dtype == DType::float32 ? xsimd::batch<float>::size : xsimd::batch<double>::size;
}

/// The product as it is by itself: of it and a sum GCC would make one instruction, which rounds once.
template <class B>
B rounded(const B& product)
{
#if __has_builtin(__builtin_assoc_barrier)
    return B(__builtin_assoc_barrier(product.data));
#else
    return product;
#endif
}

struct Product
{
    static auto value(const auto& a, const auto& b) { return a * b; }
};
struct SumWithProduct
{
    static auto value(const auto& a, const auto& b, const auto& c) { return rounded(a * b) + c; }
};
struct NegativeProduct
{
    static auto value(const auto& a, const auto& b) { return -(a * b); }
};

template <class F, std::size_t inputs, class T>
void kernel_with(std::size_t count, const T* const* in, T* out)
{
    value_kernel<F>(count, in, out, std::make_index_sequence<inputs>{});
}

/// What a loop does instead of a step.
template <class T>
struct Shortcut
{
    bool left_out = false;  ///< nothing: the only step that reads its result does it
    Kernel<T> kernel = nullptr;
    std::array<ValueId, 3> inputs = {};
    std::size_t count = 0;  ///< of inputs
};

/// Gradients are multiplied by slopes that are there. A product that one sum or sign reads is computed with that: it need not
/// be written and read.
template <class T>
std::vector<Shortcut<T>> find_shortcuts(std::span<const ElementwiseStep> steps)
{
    using formula::Form;
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::unordered_map<ValueId, std::size_t> readers(&memory);
    for (const ElementwiseStep& step : steps)
    {
        const Instruction& instruction = *step.instruction;
        for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
        {
            readers[instruction.inputs[i]] += instruction.inputs[i] != no_value && reads(instruction, i);
        }
    }
    struct Factors
    {
        std::size_t step;
        ValueId a;
        ValueId b;
    };
    std::pmr::unordered_map<ValueId, Factors> products(&memory);
    std::vector<Shortcut<T>> shortcuts(steps.size());
    for (std::size_t k = 0; k < steps.size(); ++k)
    {
        const ElementwiseStep& step = steps[k];
        const Instruction& instruction = *step.instruction;
        Simple simple = step.total == Total::none ? simple_of<T>(instruction) : Simple{};
        if (instruction.kind == Instruction::Kind::pullback && step.slope != no_value)
        {
            simple = {Form::product, instruction.inputs[0], step.slope};
            shortcuts[k] = {false, &kernel_with<Product, 2, T>, {simple.a, simple.b}, 2};
        }
        if (simple.form == Form::product && !step.escapes && readers[instruction.output] == 1)
        {
            products.emplace(instruction.output, Factors{k, simple.a, simple.b});
        }
        if (simple.form != Form::sum && simple.form != Form::negative)
        {
            continue;
        }
        const bool first = products.contains(simple.a);
        const auto product = products.find(first ? simple.a : simple.b);
        if (product != products.end())
        {
            const auto [maker, a, b] = product->second;
            shortcuts[maker] = {.left_out = true};
            shortcuts[k] =
                simple.form == Form::negative
                    ? Shortcut<T>{false, &kernel_with<NegativeProduct, 2, T>, {a, b}, 2}
                    : Shortcut<T>{false, &kernel_with<SumWithProduct, 3, T>, {a, b, first ? simple.b : simple.a}, 3};
        }
    }
    return shortcuts;
}

/// One operation of a loop, done by one of three; where it reads and writes, as places in a table of pointers.
template <class T>
struct Call
{
    Kernel<T> kernel = nullptr;
    decltype(ElementwiseOperation<T>::value_and_slope) value_and_slope = nullptr;
    const Instruction* on_lines = nullptr;
    Lines lines = {{}, 0};
    std::uint32_t in[most_inputs] = {};
    std::uint32_t out = no_place;
    std::uint32_t slope = no_place;

    void run(std::size_t count, const T* const* from, T* to, T* slope) const
    {
        if (kernel != nullptr)
        {
            kernel(count, from, to);
            return;
        }
        if (value_and_slope != nullptr)
        {
            value_and_slope(count, from[0], to, slope);
            return;
        }
        // Pointers to T all along: the kernels take them for what they are.
        const auto* const arrays = reinterpret_cast<const void* const*>(from);
        const LineKernels& kernels = *on_lines->operation->line_kernels;
        const Attributes* const attributes = on_lines->attributes.get();
        if (on_lines->kind == Instruction::Kind::value)
        {
            kernels.value(attributes, lines.of(count), arrays, to);
        }
        else
        {
            kernels.pullback(attributes, on_lines->operand, lines.of(count), arrays, to);
        }
    }
};

/// A value from outside, which may have to be stretched.
template <class T>
struct Source
{
    ValueId id;
    BroadcastReader<T> reader;
    std::uint32_t place;
    std::uint32_t scratch;  ///< the number of its piece of scratch memory, if it is stretched
    bool number;            ///< whether it is one element for all
    bool repeats = false;   ///< whether all blocks read the same
};

struct Target
{
    ValueId id;
    std::uint32_t place;
    std::size_t call;               ///< the number of the operation that writes it
    ValueId takes_from = no_value;  ///< a value that is not read after that, whose memory it may take
};

using Parts = std::vector<std::pair<std::size_t, std::size_t>>;  ///< begin and length

/// The sum or mean of an array of the loop, or the sum of its rows.
template <class T>
struct Sum
{
    ValueId id;
    Shape shape;
    std::uint32_t place;
    std::size_t call;  ///< the number of the operation before which it is taken
    Total total;
    std::size_t width;      ///< elements of the result
    Parts parts;            ///< of the array, or its rows
    std::vector<T> values;  ///< their sums

    Sum(ValueId id, const Shape& shape, std::uint32_t place, std::size_t call, Total total, std::size_t count)
        : id(id), shape(shape), place(place), call(call), total(total), width(shape.elements()),
          parts(total == Total::rows ? parts_of_rows(count / width) : parts_of_sum<T>(count)),
          values(parts.size() * width)
    {
    }

    /// The part that this element, or row, begins or is in.
    std::size_t part_of(std::size_t at) const
    {
        const auto after = std::upper_bound(parts.begin(), parts.end(), at,
                                            [](std::size_t at, const auto& part) { return at < part.first; });
        return static_cast<std::size_t>(after - parts.begin()) - 1;
    }

    /// Adds elements to the sums of their rows' parts.
    void add_rows(const T* elements, std::size_t position, std::size_t count)
    {
        std::size_t row = position / width;
        std::size_t column = position % width;
        std::size_t part = part_of(row);
        while (count > 0)
        {
            const std::size_t length = std::min(width - column, count);
            part += row == parts[part].first + parts[part].second;
            T* const sum = values.data() + part * width + column;
            if (row == parts[part].first)
            {
                std::copy_n(elements, length, sum);
            }
            else
            {
                for (std::size_t i = 0; i < length; ++i)
                {
                    sum[i] += elements[i];
                }
            }
            elements += length;
            count -= length;
            column = 0;
            ++row;
        }
    }

    /// From the sums of all parts.
    Node* finish(std::size_t count)
    {
        Node* const node = new_node<T>(shape);
        T* const out = node->template as<T>();
        if (total == Total::rows)
        {
            add_row_parts(values.data(), out, count / width, width);
            return node;
        }
        const T sum = sum_of_parts(values.data(), count);
        *out = total == Total::mean ? sum / static_cast<T>(count) : sum;
        return node;
    }
};

template <class T>
class Loop final : public ElementwiseProgram
{
public:
    Loop(const Shape& shape, const Divisions& divisions, std::span<const ElementwiseStep> steps,
         std::span<const RecordedValue> values)
        : shape_(shape), count_(shape.elements()), unit_(std::lcm(divisions.unit(), xsimd::batch<T>::size))
    {
        std::pmr::monotonic_buffer_resource memory;
        std::pmr::unordered_map<ValueId, std::uint32_t> places(&memory);
        std::pmr::unordered_map<ValueId, std::size_t> last_use(&memory);
        const std::vector<Shortcut<T>> shortcuts = find_shortcuts<T>(steps);
        const auto for_each_read = [&](std::size_t k, auto f)
        {
            const Instruction& instruction = *steps[k].instruction;
            if (const Shortcut<T>& shortcut = shortcuts[k]; shortcut.left_out || shortcut.kernel != nullptr)
            {
                for (std::size_t i = 0; i < shortcut.count; ++i)
                {
                    f(i, shortcut.inputs[i]);
                }
                return;
            }
            for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
            {
                if (instruction.inputs[i] != no_value && reads(instruction, i))
                {
                    f(i, instruction.inputs[i]);
                }
            }
        };
        for (std::size_t k = 0; k < steps.size(); ++k)
        {
            for_each_read(k, [&](std::size_t, ValueId input) { last_use[input] = k; });
        }
        std::vector<std::uint32_t> free;
        std::pmr::unordered_map<ValueId, std::uint32_t> scratch_of(&memory);
        const auto free_after = [&](std::size_t k)
        {
            for_each_read(k,
                          [&](std::size_t, ValueId input)
                          {
                              const auto scratch = scratch_of.find(input);
                              if (scratch != scratch_of.end() && last_use[input] == k)
                              {
                                  free.push_back(scratch->second);
                                  scratch_of.erase(scratch);
                              }
                          });
        };
        const auto add_temporary = [&](ValueId id, std::uint32_t place)
        {
            std::uint32_t scratch = scratches_;
            if (free.empty())
            {
                ++scratches_;
            }
            else
            {
                scratch = free.back();
                free.pop_back();
            }
            scratch_of.emplace(id, scratch);
            temporaries_.push_back({place, scratch});
        };
        for (std::size_t k = 0; k < steps.size(); ++k)
        {
            const Instruction& instruction = *steps[k].instruction;
            if (shortcuts[k].left_out)
            {
                continue;
            }
            if (steps[k].total != Total::none)
            {
                const Shape& result = values[index(instruction.output)].shape;
                sums_.emplace_back(instruction.output, result, places.at(instruction.inputs[0]), calls_.size(),
                                   steps[k].total, count_);
                free_after(k);
                continue;
            }
            Call<T> call = call_of(instruction, shortcuts[k].kernel, steps[k].slope != no_value);
            for_each_read(k,
                          [&](std::size_t i, ValueId input)
                          {
                              const auto [place, fresh] = places.emplace(input, table_);
                              if (fresh)
                              {
                                  add_source(input, values[index(input)].shape);
                              }
                              call.in[i] = place->second;
                          });
            // A kernel reads what it needs of an element before it writes it: its output may take the place of an input.
            free_after(k);
            const ValueId output = instruction.output;
            call.out = table_++;
            places.emplace(output, call.out);
            if (steps[k].escapes)
            {
                targets_.push_back({output, call.out, calls_.size()});
            }
            else
            {
                add_temporary(output, call.out);
            }
            if (call.value_and_slope != nullptr)
            {
                call.slope = table_++;
                places.emplace(steps[k].slope, call.slope);
                add_temporary(steps[k].slope, call.slope);
            }
            calls_.push_back(call);
        }
        set_block();
        if (!sums_.empty())
        {
            begins_ = divisions.places(shape, std::is_same_v<T, float> ? DType::float32 : DType::float64);
        }
    }

    void run(PlanValues& values) override
    {
        for (Source<T>& source : sources_)
        {
            source.reader.read_from(static_cast<const T*>(values.data[index(source.id)]));
        }
        for (const Target& target : targets_)
        {
            Node* const old = target.takes_from != no_value ? values.node(target.takes_from) : nullptr;
            if (old != nullptr && writable_in_place(old))
            {
                values.nodes[index(target.takes_from)] = nullptr;
                values.set(target.id, old);
            }
            else
            {
                values.set(target.id, new_node<T>(shape_));
            }
        }
        // An element costs as much as there are operations.
        const std::size_t least = parallel_elements / std::max<std::size_t>(1, calls_.size());
        if (sums_.empty())
        {
            parallel_for(count_, Grain{least, block_},
                         [&](std::size_t begin, std::size_t end)
                         {
                             Block block(*this);
                             for (std::size_t position = begin; position < end; position += block_)
                             {
                                 block.run(values, position, std::min(block_, end - position), sums_);
                             }
                         });
            return;
        }
        parallel_for(begins_.size(), std::max<std::size_t>(1, least * begins_.size() / count_),
                     [&](std::size_t from, std::size_t to)
                     {
                         const std::size_t begin = begins_[from];
                         const std::size_t end = to < begins_.size() ? begins_[to] : count_;
                         Block block(*this);
                         for (std::size_t position = begin; position < end; position += block_)
                         {
                             const std::size_t length = std::min(block_, end - position);
                             block.run(values, position, length, sums_);
                         }
                     });
        for (Sum<T>& sum : sums_)
        {
            values.set(sum.id, sum.finish(count_));
        }
    }

    void reuse(std::span<const ValueId> dead, std::span<const RecordedValue> values) override
    {
        const std::unordered_set<ValueId> gone(dead.begin(), dead.end());
        const std::vector<std::size_t> last = last_reads();
        // Those that are read no more, the first that is not before all.
        std::vector<const Source<T>*> free;
        for (const Source<T>& source : sources_)
        {
            const RecordedValue& value = values[index(source.id)];
            if (value.origin == RecordedValue::Origin::computed && value.shape == shape_ && gone.contains(source.id))
            {
                free.push_back(&source);
            }
        }
        std::sort(free.begin(), free.end(),
                  [&](const Source<T>* a, const Source<T>* b) { return last[a->place] < last[b->place]; });
        auto next = free.begin();
        for (Target& target : targets_)
        {
            if (next != free.end() && last[(*next)->place] <= target.call)
            {
                target.takes_from = (*next++)->id;
            }
        }
    }

private:
    /// For each place from outside the number of the operation that reads it last.
    std::vector<std::size_t> last_reads() const
    {
        std::vector<std::size_t> last(table_);
        for (std::size_t k = 0; k < calls_.size(); ++k)
        {
            for (const std::uint32_t place : calls_[k].in)
            {
                if (place != no_place)
                {
                    last[place] = k;
                }
            }
        }
        return last;
    }

    void add_source(ValueId id, const Shape& shape)
    {
        Source<T> source{id, BroadcastReader<T>(shape, shape.rank() == 0, shape_), table_++, 0, shape.elements() == 1};
        if (source.reader.stretched())
        {
            source.scratch = scratches_++;
        }
        sources_.push_back(source);
    }

    Call<T> call_of(const Instruction& instruction, Kernel<T> shortcut, bool with_slope) const
    {
        Call<T> call;
        if (shortcut != nullptr)
        {
            call.kernel = shortcut;
        }
        else if (on_lines(instruction))
        {
            call.on_lines = &instruction;
            call.lines = lines_of(instruction, shape_);
        }
        else if (with_slope)
        {
            call.value_and_slope = operation_of<T>(instruction).value_and_slope;
        }
        else
        {
            call.kernel = kernel_of<T>(instruction);
        }
        return call;
    }

    // As many elements at a time as keep all scratch in the first-level cache: whole registers, whole lines, and a whole
    // number of the pieces that repeat in stretched operands, if that is possible.
    void set_block()
    {
        constexpr std::size_t cache = 24 << 10;
        const std::size_t places = scratches_ + sources_.size() + targets_.size();
        const std::size_t most =
            std::clamp<std::size_t>(cache / sizeof(T) / std::max<std::size_t>(1, places), 128, block_elements);
        std::size_t step = unit_;
        for (const Source<T>& source : sources_)
        {
            const std::size_t period = source.reader.stretched() && !source.number ? source.reader.period() : 1;
            const std::size_t together = std::lcm(step, std::max<std::size_t>(period, 1));
            step = together <= std::max(block_elements, unit_) ? together : step;
        }
        block_ = std::max(step, most / step * step);
        for (Source<T>& source : sources_)
        {
            const std::size_t period = source.reader.period();
            source.repeats = period != 0 && block_ % period == 0;
        }
        stride_ = (block_ + 2 * buffer_alignment / sizeof(T) - 1) / (buffer_alignment / sizeof(T)) *
                  (buffer_alignment / sizeof(T));
    }

    /// Runs the operations on one block after the other, on one thread.
    class Block
    {
    public:
        explicit Block(const Loop& loop) : loop_(loop)
        {
            const std::size_t sums_bytes = loop.sums_.size() * sizeof(PartSum<T>);
            const std::size_t scratch_bytes = loop.scratches_ * loop.stride_ * sizeof(T);
            std::byte* const memory = Scratch::take(scratch_bytes + sums_bytes + loop.table_ * sizeof(const T*));
            scratch_ = reinterpret_cast<T*>(memory);
            sums_ = reinterpret_cast<PartSum<T>*>(memory + scratch_bytes);
            std::uninitialized_default_construct_n(sums_, loop.sums_.size());
            table_ = reinterpret_cast<const T**>(memory + scratch_bytes + sums_bytes);
            table_[no_place] = nullptr;
            for (const auto& [place, number] : loop.temporaries_)
            {
                table_[place] = scratch_ + number * loop.stride_;
            }
        }

        void run(const PlanValues& values, std::size_t position, std::size_t length, std::vector<Sum<T>>& sums)
        {
            for (const Source<T>& source : loop_.sources_)
            {
                if (first_ || !source.repeats)
                {
                    const std::size_t whole = source.repeats ? std::min(loop_.block_, loop_.count_) : length;
                    table_[source.place] =
                        source.reader.read(position, whole, scratch_ + source.scratch * loop_.stride_);
                }
            }
            first_ = false;
            for (const Target& target : loop_.targets_)
            {
                table_[target.place] = values.node(target.id)->template as<T>() + position;
            }
            auto sum = sums.begin();
            const auto add_up_until = [&](std::size_t call)
            {
                for (; sum != sums.end() && sum->call == call; ++sum)
                {
                    add_up(*sum, sums_[sum - sums.begin()], position, length);
                }
            };
            const T* const* const table = table_;
            std::size_t number = 0;
            for (const Call<T>& call : loop_.calls_)
            {
                add_up_until(number++);
                const T* in[most_inputs];
                for (std::size_t i = 0; i < most_inputs; ++i)
                {
                    in[i] = table[call.in[i]];
                }
                call.run(length, in, const_cast<T*>(table[call.out]), const_cast<T*>(table[call.slope]));
            }
            add_up_until(number);
        }

    private:
        void add_up(Sum<T>& sum, PartSum<T>& part_sum, std::size_t position, std::size_t length)
        {
            const T* const elements = table_[sum.place];
            if (sum.total == Total::rows)
            {
                sum.add_rows(elements, position, length);
                return;
            }
            std::size_t part = sum.part_of(position);
            for (std::size_t done = 0; done < length; ++part)
            {
                const auto [begin, count] = sum.parts[part];
                const std::size_t here = std::min(length - done, begin + count - (position + done));
                part_sum.add(elements + done, here);
                done += here;
                if (position + done == begin + count)
                {
                    sum.values[part] = part_sum.take();
                }
            }
        }

        const Loop& loop_;
        T* scratch_;
        PartSum<T>* sums_;  ///< of parts that have begun
        const T** table_;   ///< where each value of the block is
        bool first_ = true;
    };

    Shape shape_;
    std::size_t count_;
    std::size_t unit_;  ///< elements that are computed together
    std::size_t block_ = block_elements;
    std::size_t stride_ = scratch_elements;  ///< of the pieces of scratch memory
    std::uint32_t table_ = no_place + 1;
    std::uint32_t scratches_ = 0;
    std::vector<Source<T>> sources_;
    std::vector<Target> targets_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> temporaries_;  ///< place in the table, number of the scratch
    std::vector<Call<T>> calls_;
    std::vector<Sum<T>> sums_;
    std::vector<std::size_t> begins_;  ///< where a thread may begin
};

template <class T>
class List final : public ElementwiseProgram
{
public:
    List(std::span<const Instruction* const> instructions, const Flags& escapes, std::span<const RecordedValue> values,
         T* numbers)
    {
        Flags here(values.size());
        entries_.reserve(instructions.size());
        for (const Instruction* const each : instructions)
        {
            const Instruction& instruction = *each;
            const ElementwiseOperation<T>& operation = operation_of<T>(instruction);
            Entry& entry = entries_.emplace_back();
            entry.function = instruction.kind == Instruction::Kind::value
                                 ? operation.scalar_value
                                 : operation.pullbacks[instruction.operand].scalar;
            entry.out = numbers + instruction.output;
            for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
            {
                const ValueId input = instruction.inputs[i];
                if (input == no_value)
                {
                    continue;
                }
                entry.in[i] = numbers + input;
                const RecordedValue& value = values[index(input)];
                const bool fixed = value.origin == RecordedValue::Origin::constant && !value.live;
                if (!here[index(input)] && !fixed)
                {
                    reads_.push_back({input, numbers + input});
                }
                here[index(input)] = true;
            }
            here[index(instruction.output)] = true;
            if (escapes[index(instruction.output)])
            {
                writes_.push_back({instruction.output, numbers + instruction.output, {}});
            }
        }
    }

    void run(PlanValues& values) override
    {
        for (const auto& [id, place] : reads_)
        {
            *place = *static_cast<const T*>(values.data[index(id)]);
        }
        for (const Entry& entry : entries_)
        {
            *entry.out = entry.function(entry.in);
        }
        for (Write& write : writes_)
        {
            values.set(write.id, renew(write.last, *write.place));
        }
    }

private:
    struct Entry
    {
        T (*function)(const T* const*);
        T* out;
        const T* in[most_inputs];
    };

    /// What somebody needs as an array.
    struct Write
    {
        ValueId id;
        const T* place;
        Held last;  ///< that it got
    };

    std::vector<std::pair<ValueId, T*>> reads_;  ///< from outside
    std::vector<Write> writes_;
    PoolVector<Entry> entries_;
};

}

Simple simple_of(const Instruction& instruction, DType dtype)
{
    return dtype == DType::float32 ? simple_of<float>(instruction) : simple_of<double>(instruction);
}

std::size_t unit_of(const Instruction& instruction, std::span<const RecordedValue> values)
{
    if (instruction.kind != Instruction::Kind::value && instruction.kind != Instruction::Kind::pullback)
    {
        return 0;
    }
    if (!on_lines(instruction))
    {
        return 1;
    }
    const RecordedValue& output = values[index(instruction.output)];
    if (instruction.operation->line_kernels == nullptr || output.shape.rank() == 0 || output.shape.elements() == 0)
    {
        return 0;
    }
    const Lines lines = lines_of(instruction, output.shape);
    const std::size_t unit = std::lcm(lines.count * lines.inner, lanes_of(output.dtype));
    return unit <= longest_line ? unit : 0;
}

template <class T>
std::vector<ValueId> find_slopes(std::span<const Instruction* const> instructions, ValueId next)
{
    std::vector<ValueId> slopes(instructions.size(), no_value);
    std::map<std::pair<const Operation*, ValueId>, std::size_t> makers;
    for (std::size_t k = 0; k < instructions.size(); ++k)
    {
        const Instruction& instruction = *instructions[k];
        if (!has_slope<T>(instruction))
        {
            continue;
        }
        if (instruction.kind == Instruction::Kind::value)
        {
            makers.emplace(std::pair(instruction.operation, instruction.inputs[0]), k);
            continue;
        }
        const auto maker = makers.find({instruction.operation, instruction.inputs[2]});
        if (maker != makers.end())
        {
            ValueId& slope = slopes[maker->second];
            slope = slope == no_value ? next++ : slope;
            slopes[k] = slope;
        }
    }
    return slopes;
}

bool Divisions::add(std::size_t unit)
{
    const bool fresh = unit_ % unit != 0;
    unit_ = fresh ? std::lcm(unit_, unit) : unit_;
    return fresh;
}

void Divisions::add(Total total, const Shape& result)
{
    total == Total::rows ? widths_.push_back(result.elements()) : void(to_numbers_ = true);
}

std::vector<std::size_t> Divisions::places(const Shape& shape, DType dtype) const
{
    const std::size_t count = shape.elements();
    std::vector<std::vector<std::size_t>> begins;
    const auto add = [&](const Parts& parts, std::size_t width)
    {
        std::vector<std::size_t>& places = begins.emplace_back(parts.size());
        std::transform(parts.begin(), parts.end(), places.begin(),
                       [width](const auto& part) { return part.first * width; });
    };
    if (to_numbers_)
    {
        add(dtype == DType::float32 ? parts_of_sum<float>(count) : parts_of_sum<double>(count), 1);
    }
    for (const std::size_t width : widths_)
    {
        add(parts_of_rows(count / width), width);
    }
    std::vector<std::size_t> result = begins.at(0);
    std::erase_if(result,
                  [&](std::size_t place)
                  {
                      return place % unit_ != 0 ||
                             !std::all_of(begins.begin(), begins.end(),
                                          [place](const auto& places)
                                          { return std::binary_search(places.begin(), places.end(), place); });
                  });
    return result;
}

bool Divisions::suit(const Shape& shape, DType dtype) const
{
    const std::size_t count = shape.elements();
    if (count <= longest_piece || (!to_numbers_ && widths_.empty()))
    {
        return true;
    }
    std::vector<std::size_t> all = places(shape, dtype);
    all.push_back(count);
    return std::adjacent_find(all.begin(), all.end(),
                              [](std::size_t a, std::size_t b) { return b - a > longest_piece; }) == all.end();
}

template <class T>
std::unique_ptr<ElementwiseProgram> make_loop(const Shape& shape, const Divisions& divisions,
                                              std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values)
{
    return std::make_unique<Loop<T>>(shape, divisions, steps, values);
}

template <class T>
std::unique_ptr<ElementwiseProgram> make_list(std::span<const Instruction* const> instructions, const Flags& escapes,
                                              std::span<const RecordedValue> values, T* numbers)
{
    return std::make_unique<List<T>>(instructions, escapes, values, numbers);
}

#define INSTANTIATE(T)                                                                                                 \
    template std::vector<ValueId> find_slopes<T>(std::span<const Instruction* const>, ValueId);                        \
    template std::unique_ptr<ElementwiseProgram> make_loop<T>(                                                         \
        const Shape&, const Divisions&, std::span<const ElementwiseStep>, std::span<const RecordedValue>);             \
    template std::unique_ptr<ElementwiseProgram> make_list<T>(std::span<const Instruction* const>, const Flags&,       \
                                                              std::span<const RecordedValue>, T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
