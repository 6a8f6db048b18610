"""TODO: say what this module holds."""


def _with_range(numbers, key):
    """A number as text, with its range if that is known."""
    if "range" not in numbers:
        return f"{numbers[key]:.2f}"
    least, most = numbers["range"][key]
    return f"{numbers[key]:.2f} ({least:.2f} … {most:.2f})"


def course_lines(history: list[dict]) -> list[str]:
    """The card's table of how the training went, at times that double."""
    if not history:
        return []
    lines = [
        "How it went (judged by fewer images, so that the real ones are further apart, too):",
        "",
        "| minutes | step | SWD over real, separately | jointly | not averaged | diversity |",
        "|---|---|---|---|---|---|",
    ]
    at = 0.0
    for row in history:
        if row["minutes"] < at and row is not history[-1]:
            continue
        values = (row[key] for key in ("swd_separate", "swd_joint", "plain_swd", "diversity"))
        numbers = " | ".join(f"{value:.2f}" for value in values)
        lines.append(f"| {row['minutes']:.1f} | {row['step']:.0f} | {numbers} |")
        while row["minutes"] >= at:
            at = 2 * at or 2.0
    return [*lines, ""]


def final_evaluation_lines(real: dict, drawn: dict, against: str) -> list[str]:
    """The card's table of what real images score and what the generator's do."""
    unseen = real.get("held_out")
    lines = [
        f"Sliced Wasserstein distances × 1000 of {against}; diversity is 1 − MS-SSIM of pairs, "
        "checkerboard the share of variance that repeats.",
        *(["Nearest training patch: 0 is a copy, √2 unrelated."] if "nearest" in drawn else []),
        "",
        "| | real | drawn | over real |" + (" held-out real, over real |" if unseen else ""),
        "|---|---|---|---|" + ("---|" if unseen else ""),
    ]
    for label, key, over in (
        ("SWD, separately normalised", "swd", "swd_separate"),
        ("SWD, jointly normalised", "swd_joint", "swd_joint"),
        ("diversity", "diversity", "diversity"),
    ):
        value, share = real[key], drawn[over]
        beside = f" {_with_range(unseen, over)} |" if unseen else ""
        lines.append(
            f"| {label} | {value:.3g} | {value * share:.3g} | {_with_range(drawn, over)} |{beside}"
        )
    if "nearest" in drawn:
        nearest = f"{drawn['nearest']:.3f} | | {unseen['nearest']:.3f}"
        lines.append(f"| nearest training patch, 5th percentile | | {nearest} |")
    if "read" in drawn:
        share = drawn["read"] / real["read"]
        values = f"{real['read']:.3f} | {drawn['read']:.3f} | {share:.2f}"
        lines.append(f"| pixels whose class reads back right | {values} |")
    for period in (2, 4):
        key = f"checkerboard_{period}"
        end = " |" * bool(unseen)
        lines.append(
            f"| checkerboard, period {period} | {real[key]:.1e} | {drawn[key]:.1e} | |{end}"
        )
    return [*lines, ""]
