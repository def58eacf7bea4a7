// The exports of two AI assistants from one grammar of conversations: ChatGPT's tree of nodes with hidden
// system nodes, branches and a tool call; Claude's flat list with content blocks and pasted files.

import { OWNER } from './cast.mjs'
import { instant, wall } from './clock.mjs'
import { dice } from './dice.mjs'
import { WAIT, blocks, waiting } from './material.mjs'

const TURN = /^([UAHK]~?|C\(\w+\)|X\(\w+\)|F\([^)]+\)): (.*)$/

/** material/<name>.txt → [{ at, title, model, turns: [{ by, arg, aside, text }] }], oldest first. */
export function conversations(name) {
  return blocks(`${name}.txt`).map(({ head: [at, title, model], body }) => {
    const turns = []
    for (const line of body) {
      const m = TURN.exec(line.replace(WAIT, ''))
      if (!m) turns.at(-1).text += `\n${line}`
      else turns.push({ by: m[1][0], arg: /\((.*)\)/.exec(m[1])?.[1], aside: m[1].endsWith('~'), wait: waiting(line), text: m[2] })
    }
    return { at: wall(at), title, model, turns: turns.map(t => ({ ...t, text: t.text.trim() })) }
  })
}

const ROLE = { U: 'user', A: 'assistant', C: 'assistant', X: 'tool' }

function chatgptMessage(id, turn, seconds, model) {
  const content = { C: { content_type: 'code', language: 'python', text: turn.text }, X: { content_type: 'execution_output', text: turn.text } }[turn.by]
    ?? { content_type: 'text', parts: [turn.text] }
  return {
    id, author: { role: ROLE[turn.by], name: turn.by === 'X' ? turn.arg : null, metadata: {} },
    create_time: seconds, update_time: null, content, status: 'finished_successfully',
    end_turn: turn.by === 'A' ? true : null, weight: 1.0, metadata: turn.by === 'U' ? {} : { model_slug: model },
    recipient: turn.by === 'C' ? turn.arg : 'all', channel: null,
  }
}

/** The nodes nobody sees: an empty system message and, in every second conversation, custom instructions. */
function hidden(luck, withInstructions) {
  const empty = {
    author: { role: 'system', name: null, metadata: {} }, create_time: null, update_time: null,
    content: { content_type: 'text', parts: [''] }, status: 'finished_successfully', end_turn: true, weight: 0.0,
    metadata: { is_visually_hidden_from_conversation: true }, recipient: 'all', channel: null,
  }
  const instructions = {
    ...empty, author: { role: 'user', name: null, metadata: {} }, end_turn: null, weight: 1.0,
    content: { content_type: 'user_editable_context', user_profile: 'I write short texts for a living. I live with a cat who is a mayor.', user_instructions: 'Be brief. Answer in the language I use.' },
    metadata: { is_visually_hidden_from_conversation: true, is_user_system_message: true },
  }
  return [empty, ...(withInstructions ? [instructions] : [])].map(m => ({ id: luck.uuid(), ...m }))
}

/** One conversation as a mapping; an aside ("U~", "A~") hangs beside the path, with its answer under it. */
function chatgptConversation({ at, title, model, turns }, index, count) {
  const luck = dice(`chatgpt ${title}`), mapping = {}, id = luck.uuid()
  const add = (nodeId, parent, message) => {
    mapping[nodeId] = { id: nodeId, message, parent, children: [] }
    if (parent) mapping[parent].children.push(nodeId)
    return nodeId
  }
  let tip = add(luck.uuid(), null, null), aside = null
  for (const m of hidden(luck, index % 2 === 1)) tip = add(m.id, tip, m)
  let seconds = instant(at) / 1000
  for (const turn of turns) {
    seconds += turn.wait / 1000 + luck.between(6, 70) + turn.text.length / (turn.by === 'U' ? 4 : 40)
    const node = luck.uuid(), message = chatgptMessage(node, turn, Math.round(seconds * 1e6) / 1e6, model)
    if (turn.aside) aside = add(node, turn.by === 'A' && aside ? aside : tip, message)
    else {
      tip = add(node, tip, message)
      aside = null
    }
    count.messages += turn.by === 'U' || turn.by === 'A' ? 1 : 0
    count.asides += turn.aside ? 1 : 0
    count.tools += turn.by === 'C' || turn.by === 'X' ? 1 : 0
  }
  return {
    title, create_time: instant(at) / 1000 + 0.412, update_time: Math.round(seconds * 1e6) / 1e6, mapping, moderation_results: [],
    current_node: tip, plugin_ids: null, conversation_id: id, conversation_template_id: null, gizmo_id: null, gizmo_type: null,
    is_archived: false, is_starred: null, safe_urls: [], blocked_urls: [], default_model_slug: model, conversation_origin: null,
    voice: null, async_status: null, disabled_tool_ids: [], is_do_not_remember: false, memory_scope: 'global_enabled', id,
  }
}

/** conversations.json on one line, newest first, as exported. */
export function chatgpt() {
  const count = { conversations: 0, messages: 0, asides: 0, tools: 0 }
  const all = conversations('chatgpt').map((c, i) => chatgptConversation(c, i, count)).reverse()
  count.conversations = all.length
  const user = { id: 'user-SampleMiraLund', email: 'mira@example.org', chatgpt_plus_user: false, phone_number: null }
  return { files: { 'conversations.json': JSON.stringify(all), 'user.json': JSON.stringify(user) }, count }
}

const iso = ms => new Date(ms).toISOString().replace('Z', '000Z')

function claudeMessage(luck, turn, ms, files, thought) {
  const times = { created_at: iso(ms), updated_at: iso(ms) }
  const block = (type, body) => ({ start_timestamp: iso(ms), stop_timestamp: iso(ms), type, ...body, citations: [] })
  const content = [...(thought ? [block('thinking', { thinking: thought, summaries: [] })] : []), block('text', { text: turn.text })]
  const attachments = files.map(f => ({ file_name: f.arg, file_size: Buffer.byteLength(f.text), file_type: 'txt', extracted_content: f.text }))
  return { uuid: luck.uuid(), text: turn.text, content, sender: turn.by === 'H' ? 'human' : 'assistant', ...times, attachments, files: [] }
}

/** A person's turn takes the files that follow it; an answer takes the thinking before it. */
function claudeConversation({ at, title, turns }, count) {
  const luck = dice(`claude ${title}`), chat_messages = []
  let ms = instant(at), parent = '00000000-0000-4000-8000-000000000000'
  for (const [i, turn] of turns.entries()) {
    if (turn.by !== 'H' && turn.by !== 'A') continue
    const files = turns[i + 1]?.by === 'F' ? [turns[i + 1]] : []
    const thought = turns[i - 1]?.by === 'K' ? turns[i - 1].text : null
    ms += turn.wait + luck.between(8, 80) * 1000 + turn.text.length * 60
    const message = { ...claudeMessage(luck, turn, ms, files, thought), parent_message_uuid: parent }
    parent = message.uuid
    chat_messages.push(message)
    count.messages++
    count.attachments += files.length
  }
  count.conversations++
  return { uuid: luck.uuid(), name: title, summary: '', created_at: iso(instant(at)), updated_at: iso(ms), account: { uuid: ACCOUNT }, chat_messages }
}

const ACCOUNT = dice('claude account').uuid()

export function claude() {
  const count = { conversations: 0, messages: 0, attachments: 0 }
  const all = conversations('claude').map(c => claudeConversation(c, count)).reverse()
  const users = [{ uuid: ACCOUNT, full_name: OWNER, email_address: 'mira@example.org', verified_phone_number: null }]
  const files = { 'conversations.json': JSON.stringify(all), 'users.json': JSON.stringify(users), 'projects.json': '[]' }
  return { files, count }
}
