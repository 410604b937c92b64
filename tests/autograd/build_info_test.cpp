#include <autograd/autograd.hpp>

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <link.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace ag = autograd;

namespace
{

/// Whether the process has a shared library of this name.
bool has_library(const std::string& name)
{
    std::string end = "/" + name.substr(name.rfind('/') + 1);
    return dl_iterate_phdr([](dl_phdr_info* library, std::size_t, void* wanted) -> int
                           { return std::string(library->dlpi_name).ends_with(*static_cast<std::string*>(wanted)); },
                           &end) != 0;
}

}

TEST_CASE("the build's information names the version and the compiler")
{
    const ag::BuildInfo info = ag::build_info();
    std::ifstream file(TEST_FOLDER "/../meson.build");
    const std::string meson_build(std::istreambuf_iterator<char>(file), {});
    CHECK(meson_build.find("version: '" + info.version + "'") != std::string::npos);
#if defined(__clang__)
    const std::string compiler = "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) +
                                 "." + std::to_string(__clang_patchlevel__);
#else
    const std::string compiler = "gcc " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
                                 std::to_string(__GNUC_PATCHLEVEL__);
#endif
    CHECK(info.compiler == compiler);
}

TEST_CASE("registers are as wide as the instruction set says")
{
    const ag::BuildInfo info = ag::build_info();
    const auto has = [&](const char* name) { return info.instructions.find(name) != std::string::npos; };
    CHECK(info.register_bits == (has("avx512") ? 512 : has("avx") ? 256 : 128));
}

TEST_CASE("large products have another name exactly if the library is linked to a CBLAS")
{
    const ag::BuildInfo info = ag::build_info();
    const bool has_cblas = dlsym(RTLD_DEFAULT, "cblas_sgemm") != nullptr;
    CHECK((info.large_products != info.small_products) == has_cblas);
    CHECK((info.large_from != 0) == has_cblas);
    if (void* const core = dlsym(RTLD_DEFAULT, "openblas_get_corename"))
    {
        const std::string name = reinterpret_cast<const char* (*)()>(core)();
        CHECK(info.large_products.ends_with(" (" + name + ")"));
    }
}

TEST_CASE("LAPACK is loaded by the first decomposition, and not by asking")
{
    const ag::BuildInfo before = ag::build_info();
    CHECK(before.lapack_loaded == has_library(before.lapack));
    CHECK(ag::build_info().lapack_loaded == before.lapack_loaded);
    CHECK(ag::linalg::det(ag::Tensor<double>(xt::xarray<double>{{2.0, 1.0}, {1.0, 3.0}})).item() ==
          doctest::Approx(5.0));
    CHECK(ag::build_info().lapack_loaded);
    CHECK(has_library(before.lapack));
}

TEST_CASE("the number of threads is the one that was set")
{
    const std::size_t before = ag::num_threads();
    ag::set_num_threads(3);
    CHECK(ag::build_info().threads == 3);
    ag::set_num_threads(before);
    CHECK(ag::build_info().threads == before);
}

TEST_CASE("the build's information is printed as a table")
{
    std::ostringstream with_blas;
    with_blas << ag::BuildInfo{.version = "1.2.3",
                               .compiler = "gcc 12.2.0",
                               .instructions = "sse2",
                               .register_bits = 128,
                               .small_products = "this library's kernels",
                               .large_products = "openblas 0.3.21 (Zen)",
                               .large_from = 32768,
                               .lapack = "liblapack.so.3",
                               .lapack_loaded = false,
                               .threads = 2};
    CHECK(with_blas.str() == "xtensor-autograd  1.2.3\n"
                             "compiler          gcc 12.2.0\n"
                             "instructions      sse2, registers of 128 bits\n"
                             "small products    this library's kernels\n"
                             "large products    openblas 0.3.21 (Zen), from 32768 multiplications on\n"
                             "LAPACK            liblapack.so.3, loaded on demand\n"
                             "threads           2\n");

    std::ostringstream without;
    without << ag::BuildInfo{.version = "1.2.3",
                             .compiler = "clang 14.0.6",
                             .instructions = "fma3+avx2",
                             .register_bits = 256,
                             .small_products = "this library's kernels",
                             .large_products = "this library's kernels",
                             .large_from = 0,
                             .lapack = "libopenblas.so.0",
                             .lapack_loaded = true,
                             .threads = 1};
    CHECK(without.str() == "xtensor-autograd  1.2.3\n"
                           "compiler          clang 14.0.6\n"
                           "instructions      fma3+avx2, registers of 256 bits\n"
                           "small products    this library's kernels\n"
                           "large products    this library's kernels\n"
                           "LAPACK            libopenblas.so.0, loaded\n"
                           "threads           1\n");
}
