-- Which documents are held under embargo is asked whenever the feed's state is read. The column lies behind
-- the documents themselves, so that without this all of them would be read for it.

CREATE INDEX documents_private ON documents (kind, id, revision, digest) WHERE private = 1;
