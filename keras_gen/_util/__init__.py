"""What every room uses: files, progress, tables, figures, argument checks, gradients."""
