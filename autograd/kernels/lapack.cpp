#include <autograd/error.hpp>
#include <autograd/kernels/lapack.hpp>

#include <build_configuration.hpp>
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

namespace autograd::detail
{

namespace
{

constexpr const char* threads_of_openblas = "OPENBLAS_NUM_THREADS";

/// The library's handle, or nothing. It stays loaded.
void* open_library()
{
    // OpenBLAS reads this while it is loaded, and then starts no threads.
    const bool decided = std::getenv(threads_of_openblas) != nullptr;
    if (!decided)
    {
        setenv(threads_of_openblas, "1", 0);
    }
    void* library = dlopen(AUTOGRAD_LAPACK, RTLD_NOW | RTLD_LOCAL);
    if (!decided)
    {
        unsetenv(threads_of_openblas);
    }
    return library;
}

/// Sets the pointer to a function of Fortran's: "getrf" is dgetrf_ or sgetrf_.
template <class T, class Function>
void find(void* library, const std::string& name, Function& function)
{
    const std::string symbol = (std::is_same_v<T, float> ? "s" : "d") + name + "_";
    function = reinterpret_cast<Function>(dlsym(library, symbol.c_str()));
    if (function == nullptr)
    {
        throw Error(std::string(AUTOGRAD_LAPACK) + " has no " + symbol);
    }
}

/// Calls twice: for the best size of the workspace, and with it.
template <class T, class Call>
int with_workspace(const Call& call)
{
    T best = 0;
    int info = 0;
    call(&best, -1, &info);
    if (info == 0)
    {
        // A float rounds a large size, maybe down.
        const int size = std::max(1, static_cast<int>(std::nextafter(best, std::numeric_limits<T>::max())));
        std::vector<T> workspace(static_cast<std::size_t>(size));
        call(workspace.data(), size, &info);
    }
    return info;
}

}

const char* lapack_name() noexcept
{
    return AUTOGRAD_LAPACK;
}

bool lapack_loaded() noexcept
{
    void* const library = dlopen(AUTOGRAD_LAPACK, RTLD_LAZY | RTLD_NOLOAD);
    if (library != nullptr)
    {
        dlclose(library);
    }
    return library != nullptr;
}

template <class T>
Lapack<T>::Lapack(void* library)
{
    find<T>(library, "getrf", getrf_);
    find<T>(library, "potrf", potrf_);
    find<T>(library, "gelqf", gelqf_);
    find<T>(library, "orglq", orglq_);
    find<T>(library, "gesdd", gesdd_);
    find<T>(library, "syevd", syevd_);
    find<T>(library, "trsm", trsm_);
}

template <class T>
const Lapack<T>& Lapack<T>::load(const char* operation, Location location)
{
    static void* const library = open_library();
    if (library == nullptr)
    {
        throw Error(operation, std::string("needs LAPACK, and cannot load ") + AUTOGRAD_LAPACK, location,
                    "Install it (Debian: libopenblas0 or liblapack3), or build with -Dlapack=NAME.");
    }
    static const Lapack lapack(library);
    return lapack;
}

template <class T>
int Lapack<T>::getrf(int m, int n, T* a, int lda, int* pivots) const
{
    int info = 0;
    getrf_(&m, &n, a, &lda, pivots, &info);
    return info;
}

template <class T>
int Lapack<T>::potrf(char uplo, int n, T* a, int lda) const
{
    int info = 0;
    potrf_(&uplo, &n, a, &lda, &info, 1);
    return info;
}

template <class T>
int Lapack<T>::gelqf(int m, int n, T* a, int lda, T* tau) const
{
    return with_workspace<T>([&](T* work, int size, int* info) { gelqf_(&m, &n, a, &lda, tau, work, &size, info); });
}

template <class T>
int Lapack<T>::orglq(int m, int n, int k, T* a, int lda, const T* tau) const
{
    return with_workspace<T>([&](T* work, int size, int* info)
                             { orglq_(&m, &n, &k, a, &lda, tau, work, &size, info); });
}

template <class T>
int Lapack<T>::gesdd(char job, int m, int n, T* a, int lda, T* s, T* u, int ldu, T* vt, int ldvt) const
{
    std::vector<int> integers(8 * static_cast<std::size_t>(std::min(m, n)));
    return with_workspace<T>(
        [&](T* work, int size, int* info)
        { gesdd_(&job, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &size, integers.data(), info, 1); });
}

template <class T>
int Lapack<T>::syevd(char uplo, int n, T* a, int lda, T* w) const
{
    const char vectors = 'V';
    const int integer_count = 3 + 5 * n;
    std::vector<int> integers(static_cast<std::size_t>(integer_count));
    return with_workspace<T>(
        [&](T* work, int size, int* info)
        { syevd_(&vectors, &uplo, &n, a, &lda, w, work, &size, integers.data(), &integer_count, info, 1, 1); });
}

template <class T>
void Lapack<T>::trsm(char side, char uplo, char flag, char diagonal, int m, int n, const T* a, int lda, T* b,
                     int ldb) const
{
    const T one = 1;
    trsm_(&side, &uplo, &flag, &diagonal, &m, &n, &one, a, &lda, b, &ldb, 1, 1, 1, 1);
}

template class Lapack<float>;
template class Lapack<double>;

}
