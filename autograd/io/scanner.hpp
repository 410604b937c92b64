#pragma once

#include <autograd/io/file.hpp>
#include <autograd/shape.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace autograd::detail
{

/// Whether a comma may follow the last element: in Python, not in JSON.
enum class Comma
{
    may_trail,
    parts
};

/// Reads a header's tokens, one after the other, and refuses the file at the byte that is not what it should be.
class Scanner
{
public:
    /// The text begins at byte `start` of the file.
    Scanner(std::string_view text, std::size_t start, const char* kind, const File& file)
        : rest_(text), end_(start + text.size()), kind_(kind), file_(file)
    {
    }

    /// The number of the next byte in the file.
    std::size_t place() const noexcept { return end_ - rest_.size(); }

    [[noreturn]] void fail(std::string_view problem) const { fail_at(place(), problem); }
    [[noreturn]] void fail_at(std::size_t place, std::string_view problem) const
    {
        file_.fail(std::string("is not a ")
                       .append(kind_)
                       .append(": its header is wrong at byte ")
                       .append(std::to_string(place))
                       .append(": ")
                       .append(problem));
    }

    bool accept(std::string_view token)
    {
        skip_space();
        if (!rest_.starts_with(token))
        {
            return false;
        }
        rest_.remove_prefix(token.size());
        return true;
    }
    bool accept(char token) { return accept(std::string_view(&token, 1)); }

    void expect(char token)
    {
        if (!accept(token))
        {
            fail(std::string("'") + token + "' was expected");
        }
    }

    void expect_end()
    {
        skip_space();
        if (!rest_.empty())
        {
            fail("something follows its end");
        }
    }

    /// The next character, whatever it is.
    char next()
    {
        if (rest_.empty())
        {
            fail("it ends too early");
        }
        const char character = rest_.front();
        rest_.remove_prefix(1);
        return character;
    }

    std::size_t integer()
    {
        skip_space();
        std::size_t value = 0;
        const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
        for (const char digit : rest_.substr(0, digits))
        {
            if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit - '0', &value))
            {
                fail("a number is too large");
            }
        }
        if (digits == 0 || (digits > 1 && rest_.front() == '0'))
        {
            fail("a number was expected, not negative, without a fraction");
        }
        rest_.remove_prefix(digits);
        return value;
    }

    Shape shape(char open, char close, Comma last)
    {
        Shape shape;
        list(open, close, last,
             [&]
             {
                 if (shape.rank() == max_rank)
                 {
                     file_.fail("holds an array of more than " + std::to_string(max_rank) + " axes");
                 }
                 shape.push_back(integer());
             });
        return shape;
    }

    /// The text before the next `end`, which is read, too.
    std::string_view until(char end)
    {
        const std::size_t length = rest_.find(end);
        if (length == std::string_view::npos)
        {
            fail(std::string("'") + end + "' is missing");
        }
        const std::string_view text = rest_.substr(0, length);
        rest_.remove_prefix(length + 1);
        return text;
    }

    /// Calls f for each of the elements between brackets, which commas part.
    template <class F>
    void list(char open, char close, Comma last, const F& f)
    {
        expect(open);
        if (accept(close))
        {
            return;
        }
        while (true)
        {
            f();
            if (accept(close))
            {
                return;
            }
            expect(',');
            if (last == Comma::may_trail && accept(close))
            {
                return;
            }
        }
    }

private:
    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    std::string_view rest_;
    std::size_t end_;
    const char* kind_;
    const File& file_;
};

}
