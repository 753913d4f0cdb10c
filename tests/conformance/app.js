'use strict';

// The small app of app.py in Bolt for JavaScript: it logs what it hears and what it is answered, a JSON object a line.
// Started by compare.py with its settings as JSON: api, mode (socket or http), port, log, bot_token, app_token, secret.

const fs = require('node:fs');
const { App, LogLevel } = require('@slack/bolt');
const surfaces = require('./surfaces.json');

const settings = JSON.parse(process.argv[2]);
const PLAIN_ACTIONS = ['more', 'label', 'sure', 'reasons', 'day', 'time', 'moment', 'owner', 'place', 'tags'];
const PLAIN_EVENTS = ['member_joined_channel', 'member_left_channel', 'user_change'];
const PAGES = 9; // at most, of one list

function write(kind, fields = {}) {
  fs.appendFileSync(settings.log, `${JSON.stringify({ kind, ...fields })}\n`);
}

async function hear({ body, context, next }) {
  if (changesOwnMessage(body, context)) {
    return;
  }
  write('heard', {
    body,
    context: { bot_id: context.botId, bot_user_id: context.botUserId, team_id: context.teamId },
  });
  await next();
}

// Bolt for Python drops these as events of the app itself, Bolt for JavaScript does not.
function changesOwnMessage({ event }, { botUserId }) {
  return (event?.message ?? event?.previous_message)?.user === botUserId;
}

// Notes the end of what a listener does, and what it fails with.
function listener(listen) {
  return async (args) => {
    try {
      await listen(args);
    } catch (error) {
      write('answer', { to: 'listener', failed: String(error) });
      throw error;
    } finally {
      write('done');
    }
  };
}

// Calls a method of the Web API and notes its answer, whatever it is.
async function call(client, method, given) {
  const [family, name] = method.split('.');
  let answer;
  try {
    answer = await client[family][name](given);
  } catch (error) {
    answer = refusal(error);
  }
  write('answer', { to: method, answer });
  return answer;
}

function refusal(error) {
  if (error.code === 'slack_webapi_rate_limited_error') {
    return { ok: false, error: 'ratelimited', retry_after: error.retryAfter };
  }
  if (error.code === 'slack_webapi_http_error') {
    return { ok: false, status: error.statusCode };
  }
  if (error.code === 'slack_webapi_platform_error') {
    return error.data;
  }
  throw error;
}

async function answerBy(respond, message) {
  let answer;
  try {
    const response = await respond(message);
    answer = { status: response.status, body: await response.text() };
  } catch (error) {
    if (error.statusCode === undefined) {
      throw error;
    }
    answer = { status: error.statusCode, body: null };
  }
  write('answer', { to: 'response_url', ...answer });
}

function listenToEvents(app) {
  app.event('message', listener(async ({ event, say }) => {
    if (event.text === 'hello') {
      write('answer', { to: 'say', answer: await say(`Hi <@${event.user}>`) });
    }
  }));
  app.event('app_mention', listener(async ({ event, say }) => {
    write('answer', { to: 'say', answer: await say({ text: 'You called?', thread_ts: event.ts }) });
  }));
  app.event('reaction_added', listener(async ({ event, client }) => {
    const place = { channel: event.item.channel, timestamp: event.item.ts };
    await call(client, 'reactions.add', { ...place, name: 'eyes' });
    await call(client, 'reactions.add', { ...place, name: 'eyes' });
    await call(client, 'reactions.get', { ...place, full: true });
  }));
  app.event('reaction_removed', listener(async ({ event, client }) => {
    const place = { channel: event.item.channel, timestamp: event.item.ts };
    await call(client, 'reactions.remove', { ...place, name: 'eyes' });
    await call(client, 'reactions.remove', { ...place, name: 'eyes' });
  }));
  app.event('app_home_opened', listener(async ({ event, client }) => {
    await call(client, 'views.publish', { user_id: event.user, view: surfaces.home });
  }));
  for (const name of PLAIN_EVENTS) {
    app.event(name, listener(async () => {}));
  }
}

function listenToActions(app) {
  app.action('approve', listener(async ({ ack, body, client }) => {
    await ack();
    const place = { channel: body.channel.id, ts: body.message.ts };
    await call(client, 'chat.update', { ...place, text: 'Settled.', blocks: surfaces.settled });
  }));
  app.action('replace', listener(async ({ ack, respond }) => {
    await ack();
    await answerBy(respond, { replace_original: true, text: 'Replaced.' });
  }));
  app.action('remove', listener(async ({ ack, respond }) => {
    await ack();
    await answerBy(respond, { delete_original: true });
  }));
  app.action('whisper', listener(async ({ ack, respond }) => {
    await ack();
    const message = { response_type: 'ephemeral', replace_original: false, text: 'Only you.' };
    await answerBy(respond, { ...message, blocks: surfaces.whisper });
  }));
  app.action('form', listener(async ({ ack, body, client }) => {
    await ack();
    await call(client, 'views.open', { trigger_id: body.trigger_id, view: surfaces.form });
    await call(client, 'views.open', { trigger_id: body.trigger_id, view: surfaces.form });
  }));
  app.action('change_view', listener(async ({ ack, body, client }) => {
    await ack();
    const { id, hash } = body.view;
    const view = { ...surfaces.form, title: { type: 'plain_text', text: 'Changed' } };
    await call(client, 'views.update', { view_id: id, hash, view });
    await call(client, 'views.update', { view_id: id, hash, view });
  }));
  app.action('push_view', listener(async ({ ack, body, client }) => {
    await ack();
    await call(client, 'views.push', { trigger_id: body.trigger_id, view: surfaces.next });
  }));
  app.action('refresh', listener(async ({ ack, body, client }) => {
    await ack();
    const view = { ...surfaces.home, private_metadata: 'second' };
    await call(client, 'views.publish', { user_id: body.user.id, hash: body.view.hash, view });
    await call(client, 'views.publish', { user_id: body.user.id, hash: body.view.hash, view });
  }));
  for (const name of [...PLAIN_ACTIONS, 'search', 'search_grouped']) {
    app.action(name, listener(async ({ ack }) => ack()));
  }
}

function offered(words) {
  return ['apple', 'apricot', 'banana']
    .filter((name) => name.includes(words))
    .map((name) => ({ text: { type: 'plain_text', text: name[0].toUpperCase() + name.slice(1) }, value: name }));
}

function listenToSearches(app) {
  app.options('search', listener(async ({ ack, body }) => ack({ options: offered(body.value) })));
  app.options('search_grouped', listener(async ({ ack, body }) => {
    const label = { type: 'plain_text', text: 'Fruit' };
    await ack({ option_groups: [{ label, options: offered(body.value) }] });
  }));
}

function listenToViews(app) {
  app.view('form', listener(async ({ ack, body, view, respond }) => {
    const note = view.state.values.note.typed.value;
    if (note === 'wrong') {
      await ack({ response_action: 'errors', errors: { note: 'Not this word.' } });
    } else if (note === 'change' || note === 'push') {
      await ack({ response_action: note === 'change' ? 'update' : 'push', view: surfaces.next });
    } else if (note === 'clear') {
      await ack({ response_action: 'clear' });
    } else {
      await ack();
    }
    if (body.response_urls.length > 0) {
      await answerBy(respond, { text: `A note: ${note}` });
    }
  }));
  app.view({ callback_id: 'form', type: 'view_closed' }, listener(async ({ ack }) => ack()));
  app.view({ callback_id: 'next', type: 'view_closed' }, listener(async ({ ack }) => ack()));
}

function listenToShortcuts(app) {
  app.shortcut('inspect', listener(async ({ ack, body, client, respond }) => {
    await ack();
    const view = { ...surfaces.form, private_metadata: body.message.ts };
    await call(client, 'views.open', { trigger_id: body.trigger_id, view });
    await answerBy(respond, { text: 'Opened.' });
  }));
  app.shortcut('start', listener(async ({ ack, body, client }) => {
    await ack();
    await call(client, 'views.open', { trigger_id: body.trigger_id, view: surfaces.next });
  }));
}

const commands = {
  async plain({ ack, command }) {
    await ack(`You said: ${command.text}`);
  },
  async channel({ ack }) {
    await ack({ text: 'For all.', response_type: 'in_channel' });
  },
  async blocks({ ack }) {
    await ack({ text: 'With blocks.', blocks: surfaces.settled });
  },
  async silent({ ack }) {
    await ack();
  },
  async respond({ ack, respond }) {
    await ack();
    await answerBy(respond, { text: 'For you.' });
    await answerBy(respond, { text: 'For all.', response_type: 'in_channel' });
    await answerBy(respond, { text: 'With blocks.', blocks: surfaces.settled });
    await answerBy(respond, { text: 'Nothing to replace.', replace_original: true });
    await answerBy(respond, { text: '', blocks: [{ type: 'section' }] });
  },
  async often({ ack, respond }) {
    await ack();
    for (let number = 1; number <= 6; number += 1) {
      await answerBy(respond, { text: `Answer ${number}` });
    }
  },
  async card({ ack, say }) {
    await ack();
    write('answer', { to: 'say', answer: await say({ text: 'Case 7: spam?', blocks: surfaces.card }) });
  },
  // A message from its beginning to its end.
  async life({ ack, command, client }) {
    await ack();
    const channel = command.channel_id;
    const metadata = { event_type: 'case', event_payload: { number: 7 } };
    const { ts } = await call(client, 'chat.postMessage', { channel, text: 'Life & <death>', metadata });
    await call(client, 'chat.update', { channel, ts, text: 'Changed' });
    await call(client, 'chat.getPermalink', { channel, message_ts: ts });
    await call(client, 'chat.postMessage', { channel, thread_ts: ts, text: 'A reply', reply_broadcast: true });
    await call(client, 'conversations.replies', { channel, ts, include_all_metadata: true });
    await call(client, 'chat.delete', { channel, ts });
    await call(client, 'chat.delete', { channel, ts });
  },
  async ephemeral({ ack, command, client }) {
    await ack();
    const place = { channel: command.channel_id, user: command.user_id };
    await call(client, 'chat.postEphemeral', { ...place, text: 'Only you.', blocks: surfaces.whisper });
  },
  async upload({ ack, command, client }) {
    await ack();
    const place = { channel_id: command.channel_id, initial_comment: 'Here it is.' };
    const file = { filename: 'votes.csv', title: 'Votes', content: 'item,label\n7,spam ✓\n' };
    const answer = await client.files.uploadV2({ ...place, ...file });
    write('answer', { to: 'files.uploadV2', answer: { files: answer.files.flatMap((each) => each.files) } });
  },
  // Page by page, as far as the cursor leads.
  async lists({ ack, client }) {
    await ack();
    for (const [method, given] of surfaces.paged) {
      let cursor = {};
      for (let number = 0; number < PAGES; number += 1) {
        const page = await call(client, method, { ...given, ...cursor });
        if (!page.response_metadata?.next_cursor || method === 'conversations.history') {
          break;
        }
        cursor = { cursor: page.response_metadata.next_cursor };
      }
    }
  },
  async refused({ ack, client }) {
    await ack();
    for (const [method, given] of surfaces.refused) {
      const shown = 'view' in given ? { view: surfaces[given.view] } : {};
      await call(client, method, { ...given, ...shown });
    }
  },
  async post({ ack, command, client }) {
    await ack();
    await call(client, 'chat.postMessage', { channel: command.channel_id, text: 'Once' });
    await call(client, 'chat.postMessage', { channel: command.channel_id, text: 'Twice' });
  },
};

function listenToCommands(app) {
  app.command('/conform', listener(async (args) => {
    const [verb] = args.command.text.split(' ');
    await (commands[verb] ?? commands.plain)(args);
  }));
}

async function main() {
  const inSocketMode = settings.mode === 'socket';
  const app = new App({
    token: settings.bot_token,
    ...(inSocketMode ? { socketMode: true, appToken: settings.app_token } : { signingSecret: settings.secret }),
    logLevel: LogLevel.ERROR,
    clientOptions: { slackApiUrl: settings.api, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true },
  });
  app.use(hear);
  listenToEvents(app);
  listenToActions(app);
  listenToSearches(app);
  listenToViews(app);
  listenToShortcuts(app);
  listenToCommands(app);
  await app.start(...(inSocketMode ? [] : [{ port: settings.port, host: '127.0.0.1' }]));
}

main();
