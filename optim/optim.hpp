#pragma once

#include <optim/loop/best_weights.hpp>
#include <optim/loop/log.hpp>
#include <optim/loop/picture.hpp>
#include <optim/loop/progress.hpp>
#include <optim/loop/sampler.hpp>
#include <optim/loop/stopping.hpp>
#include <optim/optimizer.hpp>
#include <optim/sgd.hpp>
#include <optim/state.hpp>
