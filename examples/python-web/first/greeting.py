VERSION = "1"


def greet(query):
    return "Hello\n"
