"""Pictures that explain: what a network computes, and what it looks at."""
