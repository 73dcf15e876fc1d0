"""Pictures that move in steps: described once, drawn by matplotlib, or by a browser.

`shapes` says what a picture is made of, `cells` lays numbers out in cells, `drawing` makes
matplotlib's figures, `gif` an animation, `page` a web page to step through, `writing` the files.
"""
