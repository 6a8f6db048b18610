"""`python -m keras_gen`: the command line."""

from keras_gen.cli.main import main

if __name__ == "__main__":
    main()
