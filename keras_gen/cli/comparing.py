"""The command `compare`. Keras is imported in its body only."""

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from keras_gen._util import progress
from keras_gen._util.quiet import quiet_tensorflow
from keras_gen.cli.options import option

# The columns that fit into a terminal; the page has more.
IN_TERMINAL = ("psnr", "ssim", "sharpness", "gain", "milliseconds")


class ManyValues(typer.core.TyperCommand):
    """A command whose options take several values: `--methods nearest bicubic --out …`."""

    several = ("--methods", "--model")

    def parse_args(self, ctx, args):
        """Repeat the option before each of its values, as Typer expects it."""
        repeated, current = [], None
        for place, argument in enumerate(args):
            if argument == "--":
                repeated += args[place:]
                break
            if argument.startswith("-"):
                current = argument if argument in self.several else None
                repeated.append(argument)
            elif current and repeated[-1] != current:
                repeated += [current, argument]
            else:
                repeated.append(argument)
        return super().parse_args(ctx, repeated)


def compare(
    images: Annotated[
        list[Path], typer.Argument(help="Pictures, or folders of them.", metavar="IMAGE…")
    ],
    out: Annotated[Path, option("The page, a file ending in .html.", metavar="PAGE")] = Path(
        "comparison.html"
    ),
    scale: Annotated[
        str | None, option("Factor, 4 or 6.25 (default 4, or that of --model).", metavar="N")
    ] = None,
    methods: Annotated[
        list[str] | None,
        option(
            "nearest, bilinear, bicubic, lanczos; trained_nearest and so on; or fixed, trained, "
            "all. Separate several with spaces (default all; with --model fixed).",
            metavar="NAME…",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        option("Your own networks: .keras files, or stored generators.", metavar="MODEL…"),
    ] = None,
    upscale: Annotated[
        bool, option("Upscale the pictures as they are, without a reference.", "--upscale")
    ] = False,
    longest: Annotated[
        int | None,
        option(
            "Pixels of a panel's longer side (default 400; 800 with --upscale).",
            min=8,
            max=4096,
            metavar="N",
        ),
    ] = None,
    crop: Annotated[
        bool, option("Take the middle of large pictures instead of reducing them.", "--crop")
    ] = False,
    count: Annotated[
        int, option("Maximum number of pictures on the page.", min=1, metavar="N")
    ] = 24,
    title: Annotated[str | None, option("Heading of the page.", metavar="TEXT")] = None,
) -> None:
    """Compare upsampling methods on pictures, on a page to open in a browser.

    Each picture is reduced and upscaled again by every method, so that the reference is known.

    The page is one file that needs no network.
    """
    console = progress.new_console()
    with progress.activity(console, "importing Keras") as update:
        quiet_tensorflow()
        from keras_gen._util.files import check_writable, expanded
        from keras_gen.comparison import comparing

        out = expanded(out)
        if out.is_dir():
            raise ValueError(f"--out {out} is a directory; give the name of a file")
        out = out if out.suffix else out.with_suffix(".html")
        if out.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"--out {out} is not a page; give a name that ends in .html")
        check_writable(out.parent)
        comparison = comparing.compare(
            images,
            scale=scale,
            methods=methods or None,
            models=model or (),
            upscale=upscale,
            longest=longest,
            crop=crop,
            count=count,
            title=title,
            progress=update,
        )
        update("writing the page")
        comparison.write(out)
    progress.print_skipped(console, comparison.skipped)
    pictures = len(comparison.pictures)
    caption = f"means of {pictures} pictures" if pictures > 1 else None
    table = Table(title=caption, box=SIMPLE, pad_edge=False)
    rows = comparison.table(c.key for c in comparison.columns if c.key in IN_TERMINAL)
    for heading in rows[0]:
        table.add_column(heading.replace(" (", "\n("), no_wrap=heading != "method")
    for row in rows:
        table.add_row(*map(Text, row.values()))
    console.print(table)
    console.print(f"wrote {out} ({out.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
