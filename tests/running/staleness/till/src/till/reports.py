class Page:
    mark = "#"

    def __init__(self, title):
        self.title = title

    def render(self, amount):
        return f"{self.mark} {self.title}: {amount}"


class Report(Page):
    pass


def report(amount, style):
    return Report(style["title"]).render(amount)
