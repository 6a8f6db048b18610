"""When a GAN's training is going wrong: its generator collapses, or its discriminator is too weak.

An evaluation is one row of the history.
"""

COLLAPSED = 0.2  # of the real images' diversity: below this, images are nearly the same

PATIENCE = 3  # evaluations in a row

NEVER_DIVERSE = 10  # evaluations after which a generator that was never diverse is given up

WEAK = 0.03  # discriminator_advantage, of ln 2 = 0.69 at most


def collapse_alarm(history: list[dict]) -> str | None:
    """Report a generator that generates nearly the same image in several evaluations in a row.

    Early in a training all images are alike. A collapse is therefore a loss of diversity that was
    there, or diversity that never appears.

    Args:
        history: one dict an evaluation, with `diversity`.

    Returns:
        What has gone wrong and what may help, or None.
    """
    diversities = [row["diversity"] for row in history]
    if len(diversities) >= NEVER_DIVERSE and max(diversities) < COLLAPSED:
        return (
            f"the generator has generated nearly the same image in all {len(diversities)} "
            "evaluations; a lower learning rate or a larger gamma may help it start"
        )
    recent = max(diversities[-PATIENCE:], default=1.0)
    if recent >= COLLAPSED or max(diversities) < 2 * COLLAPSED:
        return None
    return (
        f"the generator has collapsed: its images have {diversities[-1]:.0%} of the diversity of "
        "real images; a larger gamma, more augmentation or a lower learning rate may prevent that"
    )


def weak_discriminator_alarm(history: list[dict]) -> str | None:
    """Report, once, a discriminator that hardly separates real from fake for several evaluations.

    It takes a discriminator some dozen steps to learn the faults of a fixed generator. If the
    generator changes faster than that, neither of them learns.

    Args:
        history: one dict an evaluation, with `discriminator_advantage`.

    Returns:
        What has gone wrong and what may help, or None.
    """
    key = "discriminator_advantage"
    advantages = [row[key] for row in history if key in row]
    if len(advantages) < PATIENCE or max(advantages[-PATIENCE:]) >= WEAK:
        return None
    if len(advantages) > PATIENCE and advantages[-PATIENCE - 1] < WEAK:
        return None  # reported before
    return (
        f"the discriminator has hardly separated real from fake in {PATIENCE} evaluations; if the "
        "images do not improve, stop, and resume with a generator that changes more slowly than "
        "the discriminator: --resume --learning-rate 5e-5 --discriminator-rate 1e-3"
    )
