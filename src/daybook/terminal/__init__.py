"""What a command does once its words are understood, and what a person or a program sees of it.

Laid out by the nouns of the command line. `render` and `tables` draw, `context` opens the application, `carry_out`
says what a command did.
"""
