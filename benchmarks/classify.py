"""What recognition costs: scoring a mail against 15 to 100,000 entries beside its peers, and one whole decision.

    python benchmarks/classify.py [--entries 15 1000 10000 100000] [--rounds 5] [--mails 60]

The peers are optional: `pip install --group bench` (pip 25.1 or newer, or uv) installs them into an environment that
has the service; a peer that is missing is a row that says so. All four sizes take ten minutes.

An entry is six pieces of text drawn by seed from the shipped entries and labelled mails, without one author, whose
mails are the questions. Every peer gets the same tokens, those of `triage/text.py`, ready to score: the house and
scikit-learn as a weighted row, bm25s as numbers, each once, tantivy as a query already built. All give the best three.
Everything runs on one thread, in turns, round by round; the figures are medians over all mails and rounds.
"""

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from responder.corpus import Corpus, load_corpus
from responder.triage.cold import fit_cold
from responder.triage.fitting import fit_learned
from responder.triage.policy import NO_HISTORY, Thresholds, decide
from responder.triage.postings import COMMON, Postings
from responder.triage.questions import questions_of
from responder.triage.space import VIEWS, Space
from responder.triage.text import char_ngrams, normalised, words
from responder.triage.verdict import Classifier

ROOT = Path(__file__).parent.parent
SEED = 20261124
BEST = 3
PIECES = 6
_PIECE_END = re.compile(r"(?<=[。?!、\n])")


@dataclass(frozen=True, slots=True)
class Peer:
    """Something that knows all entries and gives the best for a mail."""

    name: str
    seconds: float
    """To fit, from texts."""
    megabytes: float
    """Of what it searches in."""
    best: Callable[[int], Sequence[int] | None]
    """Of the mail with this number; None where its own numbering does not say."""


@dataclass(frozen=True, slots=True)
class Task:
    """What every peer is given."""

    texts: list[str]
    mails: list[str]
    space: Space
    vectors: Any
    """Of the texts, shape (texts, tokens)."""
    queries: Any
    """Of the mails, shape (mails, tokens)."""
    folder: Path
    """Empty, for what is kept in files."""
    seconds: float
    """That fitting the space and making the vectors took."""


def texts_of(corpus: Corpus, apart: str, count: int) -> list[str]:
    """So many entries, of pieces that the author kept apart did not write."""
    sources = [text for entry in corpus.entries for text in (entry.question, *entry.phrasings, entry.answer)]
    sources += [example.body for example in corpus.examples if example.author != apart]
    pieces = {piece.strip() for source in sources for piece in _PIECE_END.split(normalised(source))}
    usable = sorted(piece for piece in pieces if len(piece) >= 4)
    draw = random.Random(SEED)  # noqa: S311 - it keeps no secret
    return ["".join(draw.choices(usable, k=PIECES)) for _ in range(count)]


def task_of(texts: list[str], mails: list[str], folder: Path) -> Task:
    """Fit the house's space on the texts."""
    started = time.perf_counter()
    space = Space.fitted(texts, least_texts=1)
    vectors = space.vectors(texts)
    return Task(texts, mails, space, vectors, space.vectors(mails), folder, time.perf_counter() - started)


def house(task: Task) -> Peer:
    """This project."""
    started = time.perf_counter()
    postings = Postings(task.vectors)
    seconds = task.seconds + time.perf_counter() - started
    rows = [task.queries[mail] for mail in range(len(task.mails))]
    # A posting takes 12 bytes in double precision by entry, and 8 in single precision by term.
    return Peer(
        "house", seconds, _megabytes(task.vectors) * 20 / 12, lambda mail: postings.best(rows[mail], BEST)[0].tolist()
    )


def kernel(task: Task) -> Peer:
    """scikit-learn, as its own examples do it."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import linear_kernel

    started = time.perf_counter()
    views = [TfidfVectorizer(analyzer=analyzer, sublinear_tf=True) for analyzer in VIEWS.values()]
    vectors = hstack([view.fit_transform(task.texts) for view in views]).tocsr()
    seconds = time.perf_counter() - started
    rows = [task.queries[mail] for mail in range(len(task.mails))]

    def best(mail: int) -> list[int]:
        scores = linear_kernel(rows[mail], vectors)[0]
        found = np.argpartition(-scores, BEST)[:BEST]
        return [int(entry) for entry in found[np.lexsort((found, -scores[found]))]]

    return Peer("linear_kernel", seconds, _megabytes(vectors), best)


def bm25s(task: Task, backend: str) -> Peer:
    """BM25 with scores made ahead, on numpy or numba."""
    import bm25s as library

    started = time.perf_counter()
    ranker = library.BM25(backend=backend)
    columns = {(view, token): column for column, (view, token) in enumerate(_features(task.space))}
    numbered = [[columns[token] for token in _tokens(text)] for text in task.texts]
    ranker.index((numbered, {str(column): column for column in range(len(columns))}), show_progress=False)
    seconds = time.perf_counter() - started
    asked = [[int(column) for column in task.queries[mail].indices] for mail in range(len(task.mails))]
    held = sum(ranker.scores[part].nbytes for part in ("data", "indices", "indptr"))

    def best(mail: int) -> list[int]:
        found = ranker.retrieve([asked[mail]], k=BEST, show_progress=False, n_threads=0)
        return [int(entry) for entry in found.documents[0]]

    return Peer(f"bm25s {backend}", seconds, held / 1e6, best)


def tantivy(task: Task) -> Peer:
    """A search engine in Rust; its index is made of files."""
    import tantivy as library

    started = time.perf_counter()
    builder = library.SchemaBuilder()
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    schema = builder.build()
    index = library.Index(schema, path=str(task.folder))
    writer = index.writer(heap_size=1_000_000_000, num_threads=1)
    columns = {token: f"t{column}" for column, token in enumerate(_features(task.space))}
    for text in task.texts:
        writer.add_document(library.Document(text=" ".join(columns[token] for token in _tokens(text))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    seconds = time.perf_counter() - started
    searcher = index.searcher()
    queries = [
        library.Query.boolean_query(
            [(library.Occur.Should, library.Query.term_query(schema, "text", f"t{column}", "freq")) for column in row]
        )
        for row in (task.queries[mail].indices for mail in range(len(task.mails)))
    ]
    held = sum(path.stat().st_size for path in task.folder.iterdir())

    def best(mail: int) -> None:
        searcher.search(queries[mail], limit=BEST, count=False)

    return Peer("tantivy", seconds, held / 1e6, best)


PEERS: dict[str, Callable[[Task], Peer]] = {
    "house": house,
    "linear_kernel": kernel,
    "bm25s numpy": lambda task: bm25s(task, "numpy"),
    "bm25s numba": lambda task: bm25s(task, "numba"),
    "tantivy": tantivy,
}


def _tokens(text: str) -> list[tuple[str, str]]:
    return [("chars", token) for token in char_ngrams(text)] + [("words", token) for token in words(text)]


def _features(space: Space) -> list[tuple[str, str]]:
    return [("chars" if at < space.first_word else "words", name) for at, name in enumerate(space.names)]


def _megabytes(matrix: Any) -> float:
    return float(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) / 1e6


def fitted(task: Task) -> tuple[list[Peer], list[str]]:
    """Those that are installed, and the names of the others."""
    peers: list[Peer] = []
    missing: list[str] = []
    for name, fit in PEERS.items():
        try:
            peers.append(fit(task))
        except ImportError:
            missing.append(name)
    return peers, missing


def timed(peers: Sequence[Peer], mails: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds a mail by peer, peers in turns; the first round, which compiles and fills caches, is left out."""
    times: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for turn in range(rounds + 1):
        for peer in peers:
            for mail in range(mails):
                started = time.perf_counter()
                peer.best(mail)
                if turn:
                    times[peer.name].append((time.perf_counter() - started) * 1e3)
    return times


def _p90(values: Sequence[float]) -> float:
    return sorted(values)[int(0.9 * len(values))]


def scoring(task: Task, rounds: int) -> None:
    """Print the rows of one size."""
    texts, mails = task.texts, task.mails
    peers, missing = fitted(task)
    times = timed(peers, len(mails), rounds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    lean = min((medians[name] for name in medians if name.startswith("bm25s")), default=float("nan"))
    held = np.diff(task.vectors.tocsc().indptr)
    rows = [task.queries[mail].indices for mail in range(len(mails))]
    postings = statistics.median(int(held[row].sum()) for row in rows)
    rare = statistics.median(int(held[row][held[row] <= COMMON * len(texts)].sum()) for row in rows)
    for peer in peers:
        median = medians[peer.name]
        print(
            f"| {len(texts):,} | {peer.name} | {peer.seconds:.2f} | {peer.megabytes:.1f} | {median:.3f} "
            f"| {_p90(times[peer.name]):.3f} | {medians['linear_kernel'] / median:.1f} | {lean / median:.2f} "
            f"| {median * 1e6 / postings:.2f} |"
        )
    for name in missing:
        print(f"| {len(texts):,} | {name} | not installed | | | | | | |")
    same = sum(peers[0].best(mail) == peers[1].best(mail) for mail in range(len(mails)))
    print(
        f"{len(texts):,} entries: {postings:,.0f} postings a mail, {rare:,.0f} of rare terms; "
        f"house and linear_kernel give the same three for {same} of {len(mails)} mails",
        file=sys.stderr,
    )


def decisions(corpus: Corpus, author: str, rounds: int) -> None:
    """Print what one mail takes from its text to its decision, with the shipped corpus."""
    mails = [(example.subject, example.body) for example in corpus.examples if example.author == author]
    modes = {entry.id: entry.mode for entry in corpus.entries}
    thresholds = Thresholds(0.9, 0.0)

    def decided(classifier: Classifier) -> Callable[[int], None]:
        def one(mail: int) -> None:
            found = classifier.classify(questions_of(*mails[mail]))
            decide(None, found, NO_HISTORY, trouble=None, modes=modes, thresholds=thresholds)

        return one

    peers: list[Peer] = []
    for name, fit in (("cold", fit_cold), ("learned", fit_learned)):
        started = time.perf_counter()
        classifier: Classifier = fit(corpus)
        peers.append(Peer(name, time.perf_counter() - started, 0.0, decided(classifier)))
    times = timed(peers, len(mails), rounds)
    print("\n| one decision, shipped corpus | fit s | ms a mail, median | p90 |\n|---|---|---|---|")
    for peer in peers:
        values = times[peer.name]
        print(f"| {peer.name} | {peer.seconds:.2f} | {statistics.median(values):.2f} | {_p90(values):.2f} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description="What recognition costs, beside its peers.")
    parser.add_argument("--entries", type=int, nargs="+", default=[15, 1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mails", type=int, default=60)
    asked = parser.parse_args()
    corpus = load_corpus(ROOT / "faq_corpus")
    author = corpus.examples[-1].author
    mails = [example for example in corpus.examples if example.author == author]
    random.Random(SEED).shuffle(mails)  # noqa: S311 - it keeps no secret
    questions = [questions_of(mail.subject, mail.body).whole.text for mail in mails[: asked.mails]]
    print("| entries | | fit s | MB | ms a mail, median | p90 | times linear_kernel | times bm25s | ns a posting |")
    print("|---|---|---|---|---|---|---|---|---|")
    for entries in asked.entries:
        with tempfile.TemporaryDirectory(prefix="classify-") as folder:
            scoring(task_of(texts_of(corpus, author, entries), questions, Path(folder)), asked.rounds)
    decisions(corpus, author, asked.rounds)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
