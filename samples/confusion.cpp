#include <samples/confusion.hpp>

#include <algorithm>
#include <iomanip>
#include <numeric>
#include <sstream>

namespace samples
{

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> classes)
    : classes_(std::move(classes)), counts_(classes_.size(), std::vector<std::size_t>(classes_.size()))
{
}

void ConfusionMatrix::add(std::size_t truth, std::size_t prediction)
{
    ++counts_[truth][prediction];
}

std::size_t ConfusionMatrix::total() const
{
    std::size_t total = 0;
    for (const auto& row : counts_)
    {
        total = std::accumulate(row.begin(), row.end(), total);
    }
    return total;
}

std::size_t ConfusionMatrix::correct() const
{
    std::size_t correct = 0;
    for (std::size_t k = 0; k < counts_.size(); ++k)
    {
        correct += counts_[k][k];
    }
    return correct;
}

double ConfusionMatrix::accuracy() const
{
    return static_cast<double>(correct()) / static_cast<double>(std::max<std::size_t>(total(), 1));
}

std::ostream& operator<<(std::ostream& stream, const ConfusionMatrix& matrix)
{
    std::ostringstream out;
    std::size_t width = 0;
    for (const std::string& name : matrix.classes_)
    {
        width = std::max(width, name.size());
    }
    const auto title = static_cast<int>(width + 4);
    out << std::fixed << std::setprecision(1) << std::left << std::setw(title) << "is \\ taken for" << std::right;
    for (std::size_t k = 0; k < matrix.classes_.size(); ++k)
    {
        out << std::setw(5) << k;
    }
    out << "   found\n";
    for (std::size_t k = 0; k < matrix.classes_.size(); ++k)
    {
        const auto& row = matrix.counts_[k];
        const std::size_t sum = std::accumulate(row.begin(), row.end(), std::size_t{0});
        out << std::left << std::setw(title) << std::to_string(k) + " " + matrix.classes_[k] << std::right;
        for (const std::size_t count : row)
        {
            out << std::setw(5) << (count == 0 ? "." : std::to_string(count));
        }
        out << std::setw(6) << 100.0 * static_cast<double>(row[k]) / static_cast<double>(std::max<std::size_t>(sum, 1))
            << " %\n";
    }
    return stream << out.str();
}

}
