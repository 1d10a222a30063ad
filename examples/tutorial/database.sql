-- What the Rails application shows. Safe to run twice.
CREATE TABLE IF NOT EXISTS posts (
  id     bigint PRIMARY KEY,
  title  text NOT NULL,
  author text NOT NULL
);
INSERT INTO posts (id, title, author) VALUES
  (1, 'Introdução ao Kubernetes', 'infoslack'),
  (2, 'Pods', 'infoslack'),
  (3, 'Replication Controller', 'infoslack'),
  (4, 'Services', 'infoslack')
ON CONFLICT (id) DO NOTHING;
