#pragma once

#include <autograd/location.hpp>

namespace autograd::detail
{

/// What is loaded, and whether it is: by the first decomposition, or by someone else.
/// @{
const char* lapack_name() noexcept;
bool lapack_loaded() noexcept;
/// @}

/// What we call of LAPACK, and of the BLAS below it, for floats or doubles. Matrices are column-major: a row-major one is
/// the transpose of its own memory. Each function returns LAPACK's `info`, and takes its workspace itself.
///
/// The library is loaded when it is first needed, and not with this one: Debian's liblapack.so.3 may be OpenBLAS, which
/// takes milliseconds to load and starts threads that it does not need here; a process with several threads counts
/// references by locked instructions.
template <class T>
class Lapack
{
public:
    /// Loads the library if need be. Throws Error, in the name of `operation`, if there is none.
    static const Lapack& load(const char* operation, Location location);

    /// a = P L U.
    int getrf(int m, int n, T* a, int lda, int* pivots) const;
    /// a = L L^T or U^T U, in the triangle `uplo`.
    int potrf(char uplo, int n, T* a, int lda) const;
    /// a = L Q; L in the lower triangle, Q as reflectors above it.
    int gelqf(int m, int n, T* a, int lda, T* tau) const;
    /// The first m rows of the Q whose k reflectors gelqf gave.
    int orglq(int m, int n, int k, T* a, int lda, const T* tau) const;
    /// a = u diag(s) vt; `job` is 'A' for square u and vt, or 'S'. Destroys a.
    int gesdd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vt, int ldvt) const;
    /// The eigenvalues, ascending, and in place of a its eigenvectors; from the triangle `uplo`.
    int syevd(char uplo, int n, T* a, int lda, T* w) const;
    /// b = op(a)^-1 b (`side` 'L') or b op(a)^-1 ('R') for a triangular a.
    void trsm(char side, char uplo, char flag, char diagonal, int m, int n, const T* a, int lda, T* b, int ldb) const;

private:
    explicit Lapack(void* library);

    // Fortran passes the lengths of texts behind everything else.
    using Int = const int*;
    using Text = const char*;
    using Length = decltype(sizeof(0));
    void (*getrf_)(Int, Int, T*, Int, int*, int*);
    void (*potrf_)(Text, Int, T*, Int, int*, Length);
    void (*gelqf_)(Int, Int, T*, Int, T*, T*, Int, int*);
    void (*orglq_)(Int, Int, Int, T*, Int, const T*, T*, Int, int*);
    void (*gesdd_)(Text, Int, Int, T*, Int, T*, T*, Int, T*, Int, T*, Int, int*, int*, Length);
    void (*syevd_)(Text, Text, Int, T*, Int, T*, T*, Int, int*, Int, int*, Length, Length);
    void (*trsm_)(Text, Text, Text, Text, Int, Int, const T*, const T*, Int, T*, Int, Length, Length, Length, Length);
};

}
