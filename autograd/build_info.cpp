#include <autograd/build_info.hpp>
#include <autograd/kernels/gemm.hpp>
#include <autograd/kernels/lapack.hpp>
#include <autograd/parallel.hpp>

#include <build_configuration.hpp>
#include <xsimd/xsimd.hpp>

#include <array>
#include <ostream>
#include <utility>

namespace autograd
{

BuildInfo build_info()
{
    const detail::ProductKernels products = detail::product_kernels();
    return {.version = AUTOGRAD_VERSION,
            .compiler = AUTOGRAD_COMPILER,
            .instructions = xsimd::default_arch::name(),
            .register_bits = xsimd::batch<float>::size * sizeof(float) * 8,
            .small_products = products.small,
            .large_products = products.large,
            .large_from = products.large_from,
            .lapack = detail::lapack_name(),
            .lapack_loaded = detail::lapack_loaded(),
            .threads = num_threads()};
}

std::ostream& operator<<(std::ostream& out, const BuildInfo& info)
{
    const std::string large =
        info.large_from != 0 ? info.large_products + ", from " + std::to_string(info.large_from) + " multiplications on"
                             : info.large_products;
    const std::array<std::pair<const char*, std::string>, 7> rows{
        {{"xtensor-autograd", info.version},
         {"compiler", info.compiler},
         {"instructions", info.instructions + ", registers of " + std::to_string(info.register_bits) + " bits"},
         {"small products", info.small_products},
         {"large products", large},
         {"LAPACK", info.lapack + (info.lapack_loaded ? ", loaded" : ", loaded on demand")},
         {"threads", std::to_string(info.threads)}}};
    for (const auto& [name, value] : rows)
    {
        out << name << std::string(18 - std::string(name).size(), ' ') << value << "\n";
    }
    return out;
}

}
