"""Why a route ranks where it does, in one sentence."""

from fractions import Fraction
from itertools import pairwise

from keras_gen._util.arguments import show_size
from keras_gen.sizes import ranking


def why(chain: ranking.Chain, best: ranking.Chain, stages: tuple) -> str:
    """Say what a chain does to the image, and in what it is worse than the best one.

    Args:
        chain: the layers along both axes.
        best: the chain that ranks first.
        stages: the `Stage`s of the chain.

    Returns:
        A sentence.
    """
    grade = ranking.grade(chain)
    source, target = stages[0].size_in, stages[-1].size_out
    distance = max(path.misregistration for path in ranking.both_traits(chain))
    moved = f"{distance:.2f} source pixels" if distance < 10 else f"{distance:.0f} source pixels"
    if grade == ranking.EXACT and stages[0].stride == stages[-1].stride == (1, 1):
        text = "exact: the size is the one asked for"
    elif grade == ranking.EXACT:
        steps, ratio = " ".join(map(scaling, stages)), _ratio(source, target)
        shown = steps if steps == ratio else f"{steps} is {ratio}"
        text = f"exact: {shown}, every pixel keeps its place"
    elif grade == ranking.NEAR and distance == 0:
        text = "nearly exact: it scales as asked, but by stages that do not divide their sizes"
    elif grade == ranking.NEAR:
        text = f"nearly exact: no pixel moves by more than {moved}"
    elif grade in (ranking.EXTENDED, ranking.CROPPED):
        does = "invents" if grade == ranking.EXTENDED else "loses"
        text = (
            f"right in size alone: it {does} {moved} at each border; good for drawing from a "
            "latent, not for a picture that has to keep its place"
        )
    elif grade == ranking.UNEVEN:
        stage = next(stage for stage in stages if stage.checkerboard)
        text = f"prone to checkerboards: {stage.checkerboard}"
    else:
        text = f"loses detail: all of it has to pass through {_smallest(stages)}"
    return "; ".join([text[0].upper() + text[1:], *_remarks(chain, best, stages)]) + "."


def _remarks(chain, best, stages):
    """What a chain does worse than it could, and its work, if it is not the best."""
    both = ranking.both_traits(chain)
    overshoots = any(path.overshoots for path in both)
    large_strides = any(path.large_strides for path in both)
    squeezed = any(path.squeezed for path in both)
    if chain is best and not (overshoots or large_strides or squeezed):
        yield "small steps, and nothing generated in vain"
    for stage, then in pairwise(stages):
        if min(stage.size_out) > min(stage.size_in) and min(then.size_out) < min(then.size_in):
            verb = "cut" if then.layer == "crop" else "shrink"
            made, kept = show_size(stage.size_out), show_size(then.size_out)
            yield f"generates {made} only to {verb} it to {kept}"
    if squeezed:
        smallest = _smallest(stages)
        yield f"all of the picture has to pass through {smallest}, which takes long to learn"
    if large_strides:
        strides = {s for stage in stages for s in stage.stride}
        stride = max(strides, key=lambda s: (len(ranking.prime_factors(s)), s))
        smaller = " × ".join(map(str, ranking.prime_factors(stride)))
        yield f"takes {stride} in one step, not {smaller}"
    ratio = ranking.work(chain) / ranking.work(best)
    if chain is not best and abs(ratio - 1) > 0.05:
        yield f"{ratio:.2f} times the work of the best"


def scaling(stage) -> str:
    """What a stage does to the size: ÷2 or ×5, ×2×1 if the axes differ."""
    if stage.layer in ("resize", "crop"):
        return f"{stage.layer} to {show_size(stage.size_out)}"
    return ("÷" if stage.layer == "conv" else "×") + show_size(stage.stride)


def _smallest(stages):
    return show_size(min((stage.size_out for stage in stages), key=min))


def _ratio(source, target):
    """The scale between two sizes: ×25/4, or one for each axis."""
    scales = dict.fromkeys(Fraction(t, s) for s, t in zip(source, target, strict=True))
    return " by ".join(f"×{scale}" for scale in scales)
