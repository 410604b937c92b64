#pragma once

#include <optim/optimizer.hpp>
#include <optim/sgd.hpp>
