#pragma once

#include <autograd/registry.hpp>

/// How a family of operations says where to try them, beside their definitions. Only for the library's own sources.

#define UNPACK(...)                                                                                                    \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

/// A call of a function on tensors x[0], x[1], ... of these shapes, `({2, 3}, {3})`, whose elements are of a domain.
#define EXAMPLE(function, variant, domain, shapes, ...)                                                                \
    static const Example function##_##variant{#function, Domain::domain, UNPACK shapes,                                \
                                              [](const auto& x) { return __VA_ARGS__; }};

/// One whose arguments are arbitrary: they come from `any`.
#define TRIAL(function, variant, shapes, ...)                                                                          \
    static const Trial function##_##variant##_trial{                                                                   \
        #function, UNPACK shapes,                                                                                      \
        []([[maybe_unused]] const auto& x, [[maybe_unused]] Arbitrary& any) { return __VA_ARGS__; }};
