#include <optim/loop/picture.hpp>

#include <optim/state.hpp>

#include "../../content.hpp"
#include "../../temporary_folder.hpp"
#include "../../thrown.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

namespace ag = autograd;

namespace
{

/// What is expected of a drawing on this machine.
void check_drawn(optim::Drawing drawing, const std::filesystem::path& path)
{
    if (drawing == optim::Drawing::not_installed)
    {
        MESSAGE("gnuplot is not installed");
        CHECK_FALSE(std::filesystem::exists(path));
        return;
    }
    CHECK_EQ(drawing, optim::Drawing::done);
    CHECK(content(path).starts_with("\x89PNG"));
}

}

TEST_CASE("a loss picture is a PNG that is drawn anew as curves grow")
{
    const TemporaryFolder folder;
    const auto path = folder / "a ''quoted'' name.png";
    optim::LossPicture picture(path, {.title = "it's f''", .logarithmic = true, .seconds = 0});
    picture.add("training", 1, 0.5);
    picture.add("test", 1, 0.7);
    picture.add("training", 2, 0.25);
    check_drawn(picture.draw(), path);
    CHECK_LE(folder.entries(), 1);
    REQUIRE_EQ(picture.curves().size(), 2);
    CHECK_EQ(picture.curves()[0].points.size(), 2);
    CHECK_EQ(picture.curves()[1].name, "test");
}

TEST_CASE("a loss picture draws no more often than asked")
{
    const TemporaryFolder folder;
    optim::LossPicture picture(folder / "loss.png", {.seconds = 1000});
    picture.add("training", 1, 0.5);
    CHECK_EQ(folder.entries(), 0);
}

TEST_CASE("a picture that cannot be written is a failure, and no more")
{
    const TemporaryFolder folder;
    const optim::Panel panel{.curves = {{"a", {{1, 2}, {2, 3}}}}};
    const optim::Drawing drawing = optim::draw(folder / "absent/loss.png", {panel, panel});
    CHECK_NE(drawing, optim::Drawing::done);
    CHECK_EQ(folder.entries(), 0);
}

TEST_CASE("a loss picture goes on with the curves of its state")
{
    const TemporaryFolder folder;
    optim::LossPicture picture(folder / "a.png", {.seconds = 1000}), other(folder / "b.png", {.seconds = 1000});
    picture.add("two\nlines", 1, 0.5);
    picture.add("test", 1, 0.7);
    picture.add("test", 2, 0.6);
    optim::State{{"picture", picture}}.save(folder / "state");
    optim::State{{"picture", other}}.load(folder / "state");
    REQUIRE_EQ(other.curves().size(), 2);
    CHECK_EQ(other.curves()[0].name, "two lines");
    CHECK_EQ(other.curves()[1].points, picture.curves()[1].points);

    std::vector<double> points{3, 0, 0};
    std::string curves = "a\n";
    optim::State{{"picture.points", points}, {"picture.curves", curves}}.save(folder / "bad");
    CHECK_EQ(thrown<ag::FileError>(
                 [&] {
                     optim::State{{"picture", other}}.load(folder / "bad", {"user.cpp", 7});
                 }),
             "load: '" + (folder / "bad").string() +
                 "' holds what is not allowed: LossPicture: curve 'a' has fewer points than it says (user.cpp:7).");
    CHECK_EQ(other.curves().size(), 2);
}
