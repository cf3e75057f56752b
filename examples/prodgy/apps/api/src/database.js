import { HttpError, retry } from '@prodgy/http-service';
import pg from 'pg';

import { hashPassword } from './secrets.js';

// One number for all instances: only one of them may create the tables at a time.
const SCHEMA_LOCK = 711_001;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS users (id serial PRIMARY KEY, email text UNIQUE NOT NULL, password_hash text NOT NULL);
  CREATE TABLE IF NOT EXISTS api_tokens (
    id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users, name text NOT NULL,
    token_hash text UNIQUE NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE IF NOT EXISTS agents (id serial PRIMARY KEY, name text UNIQUE NOT NULL, instructions text NOT NULL);
  CREATE TABLE IF NOT EXISTS messages (
    id serial PRIMARY KEY, user_id integer NOT NULL REFERENCES users, agent text NOT NULL, message text NOT NULL,
    answer text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  INSERT INTO agents (name, instructions) VALUES
    ('helper', 'Answer the question.'), ('summariser', 'Say it in a few words.') ON CONFLICT DO NOTHING`;

async function prepare(pool, seed) {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
    await client.query(SCHEMA);
    const insert = 'INSERT INTO users (email, password_hash) VALUES ($1, $2) ON CONFLICT DO NOTHING';
    await client.query(insert, [seed.email, await hashPassword(seed.password)]);
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(error);
    throw error;
  }
}

/** Runs a statement; a database that is away is a 503. What PostgreSQL itself refuses has a severity, and is our mistake. */
const reaching = (pool) => async (sql, values) => {
  try {
    return await pool.query(sql, values);
  } catch (error) {
    // Class 57: the server is being shut down or started.
    if (error.severity && !error.code?.startsWith('57')) throw error;
    throw new HttpError(503, 'the database cannot be reached');
  }
};

function createStore(query) {
  const one = async (sql, ...values) => (await query(sql, values)).rows[0];
  const all = async (sql, ...values) => (await query(sql, values)).rows;
  return {
    userByEmail: (email) => one('SELECT id, email, password_hash FROM users WHERE email = $1', email),
    userByTokenHash: (hash) =>
      one('SELECT u.id, u.email FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = $1', hash),
    addToken: (userId, name, hash) =>
      one('INSERT INTO api_tokens (user_id, name, token_hash) VALUES ($1, $2, $3) RETURNING id, name', userId, name, hash),
    tokens: (userId) => all('SELECT id, name, created_at FROM api_tokens WHERE user_id = $1 ORDER BY id', userId),
    removeToken: (userId, id) => one('DELETE FROM api_tokens WHERE user_id = $1 AND id = $2 RETURNING id', userId, id),
    agents: () => all('SELECT id, name, instructions FROM agents ORDER BY id'),
    agentByName: (name) => one('SELECT id, name, instructions FROM agents WHERE name = $1', name),
    addMessage: (userId, agent, message, answer) =>
      one(
        'INSERT INTO messages (user_id, agent, message, answer) VALUES ($1, $2, $3, $4) RETURNING id, agent, message, answer',
        userId, agent, message, answer,
      ),
  };
}

/**
 * Connects in the background: creates tables and seed once PostgreSQL answers.
 *
 * Returns {store, check, close}. `check` (for /health) fails until the tables are there.
 */
export function connect({ url, seed, log }) {
  const pool = new pg.Pool({ connectionString: url, max: 5, connectionTimeoutMillis: 2000, query_timeout: 5000 });
  pool.on('error', (error) => log.warn('database connection lost', { reason: error.message }));
  let ready = false;
  const onFailure = (error, attempt) => attempt % 10 === 1 && log.warn('waiting for the database', { reason: error.message });
  retry(() => prepare(pool, seed), { onFailure }).then(() => {
    ready = true;
    log.info('database ready');
  });
  const check = async () => {
    if (!ready) throw new Error('the tables are not there yet');
    await pool.query('SELECT 1');
  };
  return { store: createStore(reaching(pool)), check, close: () => pool.end() };
}
