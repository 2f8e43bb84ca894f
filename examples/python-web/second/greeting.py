VERSION = "2"

NAME_MAX = 100


def greet(query):
    name = query.get("name", ["you"])[0][:NAME_MAX]
    return f"Hello, {name}\n"
