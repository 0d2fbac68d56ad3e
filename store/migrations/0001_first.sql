-- A store is this file. Lists and filters read exchange; everything else of an
-- exchange, and the bodies, lie compressed together with others in chunk.

-- word holds what repeats: methods, hosts, operations, callers, sets of checks.
-- 0 in a column that names a word is the empty text.
CREATE TABLE word (
  id   INTEGER PRIMARY KEY,
  text BLOB NOT NULL
);
CREATE INDEX word_text ON word (text); -- not unique: twice the same is harmless

-- shape holds what many exchanges have in common: a row of exchange is then
-- half as wide, and costs half as much to write.
CREATE TABLE shape (
  shape      INTEGER PRIMARY KEY,
  source     INTEGER NOT NULL,    -- word
  side       INTEGER NOT NULL,    -- word
  method     INTEGER NOT NULL,    -- word
  authority  INTEGER NOT NULL,    -- word
  operation  INTEGER NOT NULL,    -- word
  media      INTEGER NOT NULL,    -- word
  caller     INTEGER NOT NULL,    -- word: the caller's name
  found      INTEGER NOT NULL,    -- word: checks of the findings, each after U+001F
  acted      INTEGER NOT NULL,    -- word: checks of the actions, likewise
  status     INTEGER NOT NULL,    -- 0 when there is no response
  flags      INTEGER NOT NULL,
  severities INTEGER NOT NULL,    -- findings, 12 bits for each severity, info lowest
  actions    INTEGER NOT NULL,    -- actions, 10 bits for each kind: refuse, strip, repair, then those only counted
  forwarded  INTEGER NOT NULL     -- how far back the exchange is that this one was forwarded as; 0: see link
);

CREATE TABLE exchange (
  seq        INTEGER PRIMARY KEY, -- order of recording, without gaps
  id         BLOB NOT NULL,       -- the ULID's 16 bytes; text when it is none
  start      INTEGER NOT NULL,    -- nanoseconds since 1970
  shape      INTEGER NOT NULL,
  subject    INTEGER NOT NULL,    -- word
  req_size   INTEGER NOT NULL,
  resp_size  INTEGER NOT NULL,
  total      INTEGER NOT NULL,    -- nanoseconds
  detail     INTEGER NOT NULL,    -- chunk * 2^24 + where in it
  target     TEXT NOT NULL
);

-- id_range says between which IDs those of 1024 exchanges in a row lie. IDs are
-- made in the order of time, so that few ranges hold any one: to look into
-- these costs readers little, while an index would cost each row as much as
-- the row itself.
CREATE TABLE id_range (
  part INTEGER PRIMARY KEY, -- seq / 1024
  low  BLOB NOT NULL,       -- as exchange.id
  high BLOB NOT NULL
);

-- link has a row for each exchange that names an earlier one, unless
-- shape.forwarded says it.
CREATE TABLE link (
  seq  INTEGER NOT NULL,
  n    INTEGER NOT NULL,
  kind INTEGER NOT NULL, -- word
  dst  BLOB NOT NULL,    -- as exchange.id
  PRIMARY KEY (seq, n)
) WITHOUT ROWID;
CREATE INDEX link_dst ON link (dst);

-- chunk.data is one zstd frame with a checksum, or the letter s, a CRC-32C and
-- one S2 block.
CREATE TABLE chunk (
  id   INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
-- until is the last seq that refers to the chunk.
CREATE TABLE chunk_use (
  id    INTEGER PRIMARY KEY,
  until INTEGER NOT NULL
);
CREATE INDEX chunk_use_until ON chunk_use (until);

-- action_count counts every action ever recorded, by what decided it.
CREATE TABLE action_count (
  check_id  TEXT NOT NULL,
  kind      TEXT NOT NULL,
  rule      TEXT NOT NULL,
  operation TEXT NOT NULL,
  enforced  INTEGER NOT NULL,
  n         INTEGER NOT NULL,
  last      INTEGER NOT NULL, -- seq of the latest
  PRIMARY KEY (check_id, kind, rule, operation, enforced)
) WITHOUT ROWID;

-- For people with a SQL shell.
CREATE VIEW exchanges AS
SELECT seq, hex(id) AS id, datetime(start / 1000000000, 'unixepoch') AS start,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = source) AS source,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = side) AS side,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = method) AS method,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = authority) AS authority,
       target, status,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = operation) AS operation,
       (SELECT CAST(text AS TEXT) FROM word WHERE word.id = subject) AS subject,
       total / 1e6 AS ms
FROM exchange JOIN shape USING (shape);
