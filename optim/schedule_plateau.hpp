#pragma once

#include <optim/loop/stopping.hpp>
#include <optim/schedule.hpp>

#include <limits>

namespace optim
{

enum class Threshold
{
    rel,  ///< a share of the best
    abs   ///< a difference from the best
};

struct ReduceLROnPlateauOptions
{
    Better mode = Better::lower;  ///< which figures are better; PyTorch's min and max
    double factor = 0.1;          ///< at least 0 and less than 1
    int patience = 10;            ///< epochs without progress that are borne, at least 0
    double threshold = 1e-4;      ///< what counts as progress, at least 0
    Threshold threshold_mode = Threshold::rel;
    int cooldown = 0;     ///< epochs after a reduction that are not judged, at least 0
    PerGroup min_lr = 0;  ///< at least 0
    double eps = 1e-8;    ///< smaller reductions are not made, at least 0
};

/// Multiplies the learning rate by factor when a figure, such as the loss on validation data, has made no progress for more
/// than `patience` epochs. Groups that are added to the optimizer later are left alone.
class ReduceLROnPlateau
{
public:
    explicit ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options = {},
                               Location location = Location::current());

    /// Takes the figure of this epoch; NaN is no progress.
    /// @throws autograd::Error if the optimizer has not made a step since the schedule was made.
    void step(double figure, Location location = Location::current());

    double best() const noexcept { return best_; }
    std::vector<double> last_lr() const;
    /// Shows the counters and the best figure.
    void visit_state(StateVisitor& visitor, const std::string& prefix = "");

private:
    bool is_progress(double figure) const;
    void reduce();

    Optimizer* optimizer_;
    ReduceLROnPlateauOptions options_;
    std::size_t group_count_;
    std::size_t steps_at_start_;
    double best_;
    double last_epoch_ = 0;
    double num_bad_epochs_ = 0;
    double cooldown_counter_ = 0;
};

}
