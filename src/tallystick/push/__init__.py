"""Writing into the books: accepted, sent once, looked for where the answer was lost, proved."""
