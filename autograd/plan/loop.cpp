#include <autograd/kernels/reduce.hpp>
#include <autograd/parallel.hpp>
#include <autograd/pass.hpp>
#include <autograd/plan/loop.hpp>

#include <algorithm>
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
constexpr std::uint32_t no_place = ~std::uint32_t{0};

/// Memory of the thread for what lies between the operations of a block.
class Scratch
{
public:
    template <class T>
    static T* take(std::size_t count)
    {
        thread_local Scratch mine;
        const std::size_t bytes = count * sizeof(T);
        if (bytes > mine.bytes_)
        {
            mine.memory_.reset(::operator new (bytes, std::align_val_t{buffer_alignment}));
            mine.bytes_ = bytes;
        }
        return static_cast<T*>(mine.memory_.get());
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

/// One operation of a loop: where it reads and writes, as places in a table of pointers.
template <class T>
struct Call
{
    Kernel<T> kernel;
    std::uint32_t in[most_inputs];
    std::uint32_t out;
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
};

struct Target
{
    ValueId id;
    std::uint32_t place;
    std::size_t call;               ///< the number of the operation that writes it
    ValueId takes_from = no_value;  ///< a value that is not read after that, whose memory it may take
};

/// The sum or mean of an array of the loop.
struct Sum
{
    ValueId id;
    Shape shape;
    std::uint32_t place;
    bool mean;
};

template <class T>
class Loop final : public ElementwiseProgram
{
public:
    Loop(const Shape& shape, std::span<const ElementwiseStep> steps, std::span<const RecordedValue> values)
        : shape_(shape), count_(shape.elements())
    {
        std::pmr::monotonic_buffer_resource memory;
        std::pmr::unordered_map<ValueId, std::uint32_t> places(&memory);
        std::pmr::unordered_map<ValueId, std::size_t> last_use(&memory);
        for (std::size_t k = 0; k < steps.size(); ++k)
        {
            for (const ValueId input : steps[k].instruction->inputs)
            {
                last_use[input] = k;
            }
        }
        // What is summed is read when all operations of a block are done.
        for (const ElementwiseStep& step : steps)
        {
            if (step.total != Total::none)
            {
                last_use[step.instruction->inputs[0]] = steps.size();
            }
        }
        std::vector<std::uint32_t> free;
        std::pmr::unordered_map<ValueId, std::uint32_t> scratch_of(&memory);
        for (std::size_t k = 0; k < steps.size(); ++k)
        {
            const Instruction& instruction = *steps[k].instruction;
            if (steps[k].total != Total::none)
            {
                const Shape& result = values[index(instruction.output)].shape;
                sums_.push_back(
                    {instruction.output, result, places.at(instruction.inputs[0]), steps[k].total == Total::mean});
                continue;
            }
            Call<T> call{kernel_of<T>(instruction), {}, 0};
            std::fill(std::begin(call.in), std::end(call.in), no_place);
            for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
            {
                const ValueId input = instruction.inputs[i];
                if (input == no_value)
                {
                    continue;
                }
                const auto [place, fresh] = places.emplace(input, table_);
                if (fresh)
                {
                    add_source(input, values[index(input)].shape);
                }
                call.in[i] = place->second;
            }
            // A kernel reads a register's elements before it writes them: its output may take the place of an input.
            for (const ValueId input : instruction.inputs)
            {
                const auto scratch = scratch_of.find(input);
                if (scratch != scratch_of.end() && last_use[input] == k)
                {
                    free.push_back(scratch->second);
                    scratch_of.erase(scratch);
                }
            }
            const ValueId output = instruction.output;
            call.out = table_++;
            places.emplace(output, call.out);
            if (steps[k].escapes)
            {
                targets_.push_back({output, call.out, calls_.size()});
            }
            else
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
                scratch_of.emplace(output, scratch);
                temporaries_.push_back({call.out, scratch});
            }
            calls_.push_back(call);
        }
        set_block();
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
                                 block.run(values, position, std::min(block_, end - position));
                             }
                         });
            return;
        }
        parallel_for(parts_.size(), std::max<std::size_t>(1, least / block_),
                     [&](std::size_t begin, std::size_t end)
                     {
                         Block block(*this);
                         for (std::size_t part = begin; part < end; ++part)
                         {
                             const auto [position, length] = parts_[part];
                             block.run(values, position, length);
                             for (std::size_t k = 0; k < sums_.size(); ++k)
                             {
                                 part_sums_[k * parts_.size() + part] =
                                     sum_of_part(block.elements(sums_[k].place), length);
                             }
                         }
                     });
        for (std::size_t k = 0; k < sums_.size(); ++k)
        {
            const T total = sum_of_parts(part_sums_.data() + k * parts_.size(), count_);
            Node* const node = new_node<T>(sums_[k].shape);
            *node->template as<T>() = sums_[k].mean ? total / static_cast<T>(count_) : total;
            values.set(sums_[k].id, node);
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
    /// For each place the number of the operation that reads it last; more than there are, if it is summed at the end.
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
        for (const Sum& sum : sums_)
        {
            last[sum.place] = calls_.size();
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

    // As many elements at a time as keep all scratch in the first-level cache, and a whole number of the pieces that
    // repeat in stretched operands, if that is possible; or as they are added.
    void set_block()
    {
        constexpr std::size_t lanes = xsimd::batch<T>::size;
        constexpr std::size_t cache = 24 << 10;
        const std::size_t places = scratches_ + sources_.size() + targets_.size();
        block_ = std::clamp<std::size_t>(cache / sizeof(T) / std::max<std::size_t>(1, places), 128, block_elements) /
                 lanes * lanes;
        for (const Source<T>& source : sources_)
        {
            const std::size_t period = source.reader.stretched() && !source.number
                                           ? std::lcm(std::max<std::size_t>(source.reader.period(), 1), lanes)
                                           : 1;
            if (period > 1 && period <= block_elements)
            {
                block_ = std::max(period, block_ / period * period);
            }
        }
        if (!sums_.empty())
        {
            parts_ = parts_of_sum<T>(count_);
            part_sums_.resize(sums_.size() * parts_.size());
            block_ = 0;
            for (const auto& [position, length] : parts_)
            {
                block_ = std::max(block_, length);
            }
        }
        stride_ = (block_ + 2 * buffer_alignment / sizeof(T) - 1) / (buffer_alignment / sizeof(T)) *
                  (buffer_alignment / sizeof(T));
    }

    /// Runs the operations on one block after the other, on one thread.
    class Block
    {
    public:
        explicit Block(const Loop& loop)
            : loop_(loop), scratch_(Scratch::take<T>(loop.scratches_ * loop.stride_ +
                                                     (loop.table_ * sizeof(T*) + sizeof(T) - 1) / sizeof(T))),
              table_(reinterpret_cast<const T**>(scratch_ + loop.scratches_ * loop.stride_))
        {
            for (const auto& [place, number] : loop.temporaries_)
            {
                table_[place] = scratch_ + number * loop.stride_;
            }
        }

        void run(const PlanValues& values, std::size_t position, std::size_t length)
        {
            for (const Source<T>& source : loop_.sources_)
            {
                const std::size_t period = source.reader.period();
                const bool repeats =
                    !first_ && source.reader.stretched() &&
                    (period == 1 || (period != 0 && loop_.sums_.empty() && loop_.block_ % period == 0));
                if (!repeats)
                {
                    const std::size_t whole = period == 1 ? loop_.block_ : length;
                    table_[source.place] =
                        source.reader.read(position, whole, scratch_ + source.scratch * loop_.stride_);
                }
            }
            first_ = false;
            for (const Target& target : loop_.targets_)
            {
                table_[target.place] = values.node(target.id)->template as<T>() + position;
            }
            for (const Call<T>& call : loop_.calls_)
            {
                const T* in[most_inputs];
                for (std::size_t i = 0; i < most_inputs; ++i)
                {
                    in[i] = call.in[i] != no_place ? table_[call.in[i]] : nullptr;
                }
                call.kernel(length, in, const_cast<T*>(table_[call.out]));
            }
        }

        const T* elements(std::uint32_t place) const { return table_[place]; }

    private:
        const Loop& loop_;
        T* scratch_;
        const T** table_;  ///< where each value of the block is
        bool first_ = true;
    };

    Shape shape_;
    std::size_t count_;
    std::size_t block_ = block_elements;
    std::size_t stride_ = scratch_elements;  ///< of the pieces of scratch memory
    std::uint32_t table_ = 0;
    std::uint32_t scratches_ = 0;
    std::vector<Source<T>> sources_;
    std::vector<Target> targets_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> temporaries_;  ///< place in the table, number of the scratch
    std::vector<Call<T>> calls_;
    std::vector<Sum> sums_;
    std::vector<std::pair<std::size_t, std::size_t>> parts_;  ///< begin and length
    std::vector<T> part_sums_;                                ///< a row for each sum
};

template <class T>
class List final : public ElementwiseProgram
{
public:
    List(std::span<const ElementwiseStep> steps, std::span<const RecordedValue> values, T* numbers)
    {
        Flags here(values.size());
        entries_.reserve(steps.size());
        for (const ElementwiseStep& step : steps)
        {
            const Instruction& instruction = *step.instruction;
            const ElementwiseOperation<T>& operation = operation_of<T>(instruction);
            Entry entry{instruction.kind == Instruction::Kind::value ? operation.scalar_value
                                                                     : operation.pullbacks[instruction.operand].scalar,
                        numbers + instruction.output,
                        {}};
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
            entries_.push_back(entry);
            if (step.escapes)
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
    std::vector<Entry> entries_;
};

}

template <class T>
std::unique_ptr<ElementwiseProgram> make_loop(const Shape& shape, std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values)
{
    return std::make_unique<Loop<T>>(shape, steps, values);
}

template <class T>
std::unique_ptr<ElementwiseProgram> make_list(std::span<const ElementwiseStep> steps,
                                              std::span<const RecordedValue> values, T* numbers)
{
    return std::make_unique<List<T>>(steps, values, numbers);
}

#define INSTANTIATE(T)                                                                                                 \
    template std::unique_ptr<ElementwiseProgram> make_loop<T>(const Shape&, std::span<const ElementwiseStep>,          \
                                                              std::span<const RecordedValue>);                         \
    template std::unique_ptr<ElementwiseProgram> make_list<T>(std::span<const ElementwiseStep>,                        \
                                                              std::span<const RecordedValue>, T*);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}
