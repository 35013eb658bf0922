// A WhatsApp bot on Baileys, as a tenant's own command. See README.md and docs/worker-contract.md.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import pino from 'pino';
import makeWASocket, { DisconnectReason, useMultiFileAuthState } from '@whiskeysockets/baileys';

const env = process.env;
const link = env.TENANTRY_LINK; // absent when the bot runs by itself: then it prints its QR code
const where = link?.startsWith('unix:') ? { socketPath: link.slice('unix:'.length) }
  : link && { host: new URL(link).hostname, port: new URL(link).port };
const token = link && fs.readFileSync(env.TENANTRY_TOKEN_FILE, 'utf8').trim();
const folder = path.join(env.SESSIONS_PATH ?? '.', env.TENANT_ID ?? '', 'baileys');
let session = { state: 'DISCONNECTED', detail: 'starting' };
let config = { version: 0, greeting: '' };
let lastFrame;

const call = (body) => new Promise((resolve, reject) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const options = { ...where, path: '/link/v1/heartbeat', method: 'POST', timeout: 10_000, headers };
  const request = http.request(options, async (response) => {
    resolve({ status: response.statusCode, body: JSON.parse((await response.toArray()).join('')) });
  });
  request.on('timeout', () => request.destroy(new Error('no answer'))).on('error', reject);
  request.end(JSON.stringify(body));
});

async function heartbeat(change) {
  session = change ?? session;
  if (!link) return change && console.log(JSON.stringify(session));
  const age = session.state === 'CONNECTED' ? { last_frame_age_ms: Date.now() - lastFrame } : {};
  try {
    const { status, body } = await call({
      generation: Number(env.TENANTRY_GENERATION), incarnation: Number(env.TENANTRY_INCARNATION ?? 0),
      pid: process.pid, config_version: config.version, session: { ...session, ...age },
    });
    if (status === 401) process.exit(77);
    if (body.code === 'stale_generation') process.exit(76); // a newer worker has taken over
    if (status === 200) config = body.config ?? config;
  } catch { /* the control plane is away: the next heartbeat tells everything */ }
}

async function connect() {
  const { state: auth, saveCreds } = await useMultiFileAuthState(folder);
  const sock = makeWASocket({
    auth, shouldSyncHistoryMessage: () => false, logger: pino({ level: 'silent' }),
    ...(env.WHATSAPP_URL && { waWebSocketUrl: env.WHATSAPP_URL }),
  });
  sock.ws.on('frame', () => { lastFrame = Date.now(); });
  sock.ev.on('creds.update', saveCreds);
  sock.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
    if (qr) heartbeat({ state: 'QR_READY', qr: { code: qr, expires_at: new Date(Date.now() + 60_000) } });
    if (connection === 'open') heartbeat({ state: 'CONNECTED', paired: true, jid: sock.user.id });
    if (connection === 'close') closed(lastDisconnect?.error);
  });
  sock.ev.on('messages.upsert', async ({ messages }) => {
    for (const { key, message } of messages) {
      const text = message?.conversation ?? message?.extendedTextMessage?.text;
      const answer = link ? config.greeting : `You said: ${text}`; // an empty greeting: no answer
      if (!text || !answer || key.fromMe) continue;
      await sock.sendMessage(key.remoteJid, { text: answer }).catch((error) => console.error(error));
    }
  });
}

async function closed(error) {
  const code = error?.output?.statusCode;
  const out = code === DisconnectReason.loggedOut;
  if (code === DisconnectReason.connectionReplaced) process.exit(78);
  await heartbeat({ state: out ? 'LOGGED_OUT' : 'DISCONNECTED', detail: error?.message ?? 'closed' });
  setTimeout(() => {
    // Not before: Baileys may still be writing to it.
    if (out) fs.rmSync(folder, { recursive: true, force: true });
    connect();
  }, code === DisconnectReason.restartRequired ? 0 : 5_000);
}

process.on('SIGTERM', () => process.exit(0));
setInterval(() => heartbeat(), Number(env.HEARTBEAT_INTERVAL_MS ?? 30_000));
await heartbeat(session);
await connect();
