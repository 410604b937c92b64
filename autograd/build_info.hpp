#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace autograd
{

/// What was chosen when the library was configured, and what is chosen while it runs.
struct BuildInfo
{
    std::string version;       ///< of this library
    std::string compiler;      ///< that compiled the library, as "gcc 12.2.0"
    std::string instructions;  ///< that the kernels are compiled for, under xsimd's name, as "fma3+avx2"
    std::size_t register_bits = 0;

    /// What computes matrix products: this library's own kernels, or a CBLAS under the name that it was found by, with
    /// what OpenBLAS takes the processor for, as "openblas 0.3.21 (Zen)".
    /// @{
    std::string small_products;
    std::string large_products;  ///< from `large_from` multiplications on; without a BLAS the same as the small ones
    std::size_t large_from = 0;  ///< 0 if there are no large ones
    /// @}

    std::string lapack;          ///< the library that decompositions of matrices need
    bool lapack_loaded = false;  ///< it is loaded when the first decomposition asks for it
    std::size_t threads = 0;     ///< see set_num_threads
};

/// Loads nothing: `std::cout << ag::build_info();`.
BuildInfo build_info();

/// A table, a line each.
std::ostream& operator<<(std::ostream& out, const BuildInfo& info);

}
