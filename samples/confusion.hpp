#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace samples
{

/// How often each class was taken for which.
class ConfusionMatrix
{
public:
    explicit ConfusionMatrix(std::vector<std::string> classes);

    void add(std::size_t truth, std::size_t prediction);

    std::size_t total() const;
    double accuracy() const;

    /// A row for each true class, a column for each prediction, and how many of the class were found.
    friend std::ostream& operator<<(std::ostream& out, const ConfusionMatrix& matrix);

private:
    std::size_t correct() const;

    std::vector<std::string> classes_;
    std::vector<std::vector<std::size_t>> counts_;
};

}
