"""TODO: say what this module holds."""

COLLAPSED = 0.2  # of the real images' diversity


PATIENCE = 3  # judgements in a row


BLIND = 0.03  # of ln 2 = 0.69, by which the discriminator tells pairs apart


NEVER = 10  # judgements after which one that never drew more than one image is given up


def collapse_alarm(rows: list[dict]) -> str | None:
    """Say so if a generator has come to draw one image over and over, some judgements in a row.

    At first it draws hardly anything, and that much alike; so it is a collapse if a variety that
    was there is gone, or if none ever came.
    """
    shares = [row["diversity"] for row in rows]
    if len(shares) >= NEVER and max(shares) < COLLAPSED:
        return (
            f"the generator has drawn one image again and again in all {len(shares)} judgements; "
            "a lower learning rate, or a larger gamma, may let it begin"
        )
    if max(shares[-PATIENCE:], default=1.0) >= COLLAPSED or max(shares) < 2 * COLLAPSED:
        return None
    return (
        f"the generator has collapsed: what it draws has {shares[-1]:.0%} of the variety of real "
        "images; a larger gamma, more augmentation or a lower rate may keep it from that"
    )


def blind_discriminator_alarm(rows: list[dict]) -> str | None:
    """Say so, once, if a discriminator has long told hardly anything apart.

    Early on it takes a discriminator some dozen steps to see what a generator that stands still
    does wrong. If the generator changes all the time faster than that, neither learns.
    """
    told = [row["discriminator_advantage"] for row in rows if "discriminator_advantage" in row]
    if len(told) < PATIENCE or max(told[-PATIENCE:]) >= BLIND:
        return None
    if len(told) > PATIENCE and told[-PATIENCE - 1] < BLIND:
        return None  # said before
    return (
        f"the discriminator has told hardly anything apart in {PATIENCE} judgements; if the "
        "pictures do not improve, stop, and go on with a generator that changes more slowly than "
        "it does: --resume --learning-rate 5e-5 --discriminator-rate 1e-3"
    )
