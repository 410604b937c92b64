#pragma once

#include <autograd/primitive.hpp>

/// Operations written outside the library, so simple that whatever goes wrong with them is the engine's fault.

/// 2x.
struct Doubling
{
    static constexpr const char* name = "doubling";

    template <class T>
    autograd::Tensor<T> value(const autograd::Tensor<T>& x) const
    {
        return xt::xarray<T>(T(2) * x.value());
    }
    template <class T>
    autograd::Tensor<T> pullback(autograd::Wrt<0>, const autograd::Tensor<T>& dy, const autograd::Tensor<T>&,
                                 const autograd::Tensor<T>&) const
    {
        return apply(Doubling{}, autograd::Location{}, dy);
    }
};

template <autograd::Real T>
autograd::Tensor<T> doubled(const autograd::Tensor<T>& x, autograd::Location location = autograd::Location::current())
{
    return apply(Doubling{}, location, x);
}

/// a b of two operands of one shape; its pullbacks read the values.
struct Product
{
    static constexpr const char* name = "product";
    static constexpr autograd::detail::Reads reads(std::size_t k) { return {.operand_bits = k == 0 ? 0b10U : 0b01U}; }

    template <class T>
    autograd::Tensor<T> value(const autograd::Tensor<T>& a, const autograd::Tensor<T>& b) const
    {
        return xt::xarray<T>(a.value() * b.value());
    }
    template <class T>
    autograd::Tensor<T> pullback(autograd::Wrt<0>, const autograd::Tensor<T>& dy, const autograd::Tensor<T>&,
                                 const autograd::Tensor<T>&, const autograd::Tensor<T>& b) const
    {
        return apply(Product{}, autograd::Location{}, dy, b);
    }
    template <class T>
    autograd::Tensor<T> pullback(autograd::Wrt<1>, const autograd::Tensor<T>& dy, const autograd::Tensor<T>&,
                                 const autograd::Tensor<T>& a, const autograd::Tensor<T>&) const
    {
        return apply(Product{}, autograd::Location{}, dy, a);
    }
};

template <autograd::Real T>
autograd::Tensor<T> product(const autograd::Tensor<T>& a, const autograd::Tensor<T>& b,
                            autograd::Location location = autograd::Location::current())
{
    return apply(Product{}, location, a, b);
}

/// factor x: an attribute, and a pullback that is the operation itself.
struct Scaling
{
    static constexpr const char* name = "scaling";
    double factor;

    template <class T>
    autograd::Tensor<T> value(const autograd::Tensor<T>& x) const
    {
        return xt::xarray<T>(static_cast<T>(factor) * x.value());
    }
    template <class T>
    autograd::Tensor<T> pullback(autograd::Wrt<0>, const autograd::Tensor<T>& dy, const autograd::Tensor<T>&,
                                 const autograd::Tensor<T>&) const
    {
        return apply(*this, autograd::Location{}, dy);
    }
};

/// 1 x_1 + 2 x_2 + 3 x_3 ... of any number of operands of one shape.
struct CountedSum
{
    static constexpr const char* name = "counted_sum";

    template <class T>
    autograd::Tensor<T> value(std::span<const autograd::Tensor<T>> tensors) const
    {
        xt::xarray<T> sum = xt::zeros_like(xt::xarray<T>(tensors[0].value()));
        for (std::size_t k = 0; k < tensors.size(); ++k)
        {
            sum += static_cast<T>(k + 1) * tensors[k].value();
        }
        return sum;
    }
    template <class T>
    autograd::Tensor<T> pullback(std::size_t k, const autograd::Tensor<T>& dy, const autograd::Tensor<T>&,
                                 std::span<const autograd::Tensor<T>>) const
    {
        return apply(Scaling{static_cast<double>(k + 1)}, autograd::Location{}, dy);
    }
};

template <autograd::Real T>
autograd::Tensor<T> counted_sum(const std::vector<autograd::Tensor<T>>& tensors,
                                autograd::Location location = autograd::Location::current())
{
    return apply(CountedSum{}, location, std::span<const autograd::Tensor<T>>(tensors));
}
