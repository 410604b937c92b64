#pragma once

#include <autograd/io.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/linalg.hpp>
#include <autograd/ops/nn.hpp>
#include <autograd/ops/reduction.hpp>
#include <autograd/ops/shape.hpp>
#include <autograd/parallel.hpp>
#include <autograd/tape.hpp>
#include <autograd/tensor.hpp>
#include <autograd/testing.hpp>
#include <autograd/transforms.hpp>
#include <autograd/variable.hpp>
