// An in-memory Event Hubs namespace over AMQP 1.0, as far as Microsoft's azure-eventhub SDK asks for one.
//
//   node event_hub.js PORT PARTITIONS HUB[,HUB…]
//
// Listens on 127.0.0.1 only and prints one line of JSON when it does. Every partition of every hub is a list of events
// that is only appended to; sequence numbers count from 0 and offsets are the bytes before an event. Any token is
// accepted. Needs `rhea` (NODE_PATH says where).
'use strict';
const rhea = require('rhea');
const frames = require('rhea/lib/frames.js');
const { message, types } = rhea;

const [port, partitions] = process.argv.slice(2, 4).map(Number);
const names = (process.argv[4] || '').split(',').filter(Boolean);
const BATCH_FORMAT = 0x80013700; // several events in one AMQP message, each a data section
const MAX_MESSAGE_SIZE = 1024 * 1024; // what Event Hubs' standard tier takes
const CREDIT = 300;
const CREATED = 1700000000000;

// ---- AMQP: what the SDK's own client expects of a frame ---------------------------------------------------------

// It reads fixed positions of every performative, so nulls at the end must be sent, and some values must be there.
const FIELDS = { open: 10, begin: 8, attach: 14, flow: 11, transfer: 11, disposition: 6, detach: 3, end: 1, close: 1 };
const DEFAULTS = { begin: { 4: types.wrap_uint(255) }, attach: { 10: types.wrap_ulong(MAX_MESSAGE_SIZE) } };
for (const [name, count] of Object.entries(FIELDS)) {
  const prototype = Object.getPrototypeOf(frames[name]({}));
  const described = prototype.described;
  prototype.described = function () {
    while (this.value.length < count) this.value.push(null);
    for (const [i, value] of Object.entries(DEFAULTS[name] || {})) this.value[i] ??= value;
    return described.call(this);
  };
}

// ---- the hubs ---------------------------------------------------------------------------------------------------

class Partition {
  constructor() {
    this.events = []; // { sequence, offset, at, key, message, size }
    this.end = 0; // bytes so far
    this.readers = new Set();
  }

  append(event, key, size) {
    this.events.push({ sequence: this.events.length, offset: this.end, at: Date.now(), key, message: event });
    this.end += size;
  }

  // The place in `events` where a reader begins, from the SDK's selector filter.
  start(selector) {
    const match = /x-opt-(offset|sequence-number|enqueued-time) (>=?) '([^']*)'/.exec(selector);
    if (!match || match[3] === '-1') return 0;
    if (match[3] === '@latest') return this.events.length;
    const field = { offset: 'offset', 'sequence-number': 'sequence', 'enqueued-time': 'at' }[match[1]];
    const edge = Number(match[3]);
    const index = this.events.findIndex((e) => (match[2] === '>' ? e[field] > edge : e[field] >= edge));
    return index < 0 ? this.events.length : index;
  }

  properties() {
    const last = this.events[this.events.length - 1];
    return {
      begin_sequence_number: types.wrap_long(0),
      last_enqueued_sequence_number: types.wrap_long(last ? last.sequence : -1),
      last_enqueued_offset: last ? String(last.offset) : '-1',
      last_enqueued_time_utc: types.wrap_timestamp(last ? last.at : 0),
      is_partition_empty: !last,
    };
  }
}

class Hub {
  constructor() {
    this.partitions = Array.from({ length: partitions }, () => new Partition());
    this.turn = 0;
  }

  // Where an event goes: the partition asked for, the one of its key, or each in turn.
  choose(asked, key) {
    if (asked !== undefined) return Number(asked);
    if (key == null) return this.turn++ % partitions;
    return [...Buffer.from(String(key))].reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7) % partitions;
  }
}

const hubs = new Map(names.map((name) => [name, new Hub()]));

// An address of the SDK: [amqps://host/]HUB, HUB/Partitions/0, HUB/ConsumerGroups/GROUP/Partitions/0, $cbs, $management
function parse(address) {
  const path = String(address || '').replace(/^amqps?:\/\/[^/]+\//, '');
  const match = /^([^/]+)(?:\/ConsumerGroups\/[^/]+)?(?:\/Partitions\/([^/]+))?$/.exec(path);
  return { hub: match && match[1], partition: match ? match[2] : undefined, special: /\$(cbs|management)$/.exec(path)?.[1] };
}

function refuse(link, condition, description) {
  link.close({ condition, description });
}

// ---- links ------------------------------------------------------------------------------------------------------

const container = rhea.create_container({ id: 'event-hubs-stand-in', non_fatal_errors: [] });
container.sasl_server_mechanisms.enable_anonymous();
const replies = new Map(); // connection -> (address -> sender), for $cbs and $management

function problem({ hub, partition, special }) {
  if (special) return null;
  if (!hubs.has(hub)) return ['amqp:not-found', `The messaging entity '${hub}' could not be found.`];
  if (partition !== undefined && !(Number(partition) >= 0 && Number(partition) < partitions))
    return ['com.microsoft:argument-out-of-range', `The partition '${partition}' is not there.`];
  return null;
}

container.on('receiver_open', ({ receiver }) => {
  const place = parse(receiver.target.address);
  receiver.set_target({ address: receiver.target.address });
  receiver.set_source({ address: receiver.source.address });
  const wrong = problem(place);
  if (wrong) return refuse(receiver, ...wrong);
  receiver.place = place;
  receiver.add_credit(CREDIT);
});

container.on('sender_open', ({ sender, connection }) => {
  const place = parse(sender.source.address);
  sender.set_source({ address: sender.source.address, filter: sender.source.filter });
  sender.set_target({ address: sender.target.address });
  if (place.special) {
    const known = replies.get(connection) || new Map();
    replies.set(connection, known);
    for (const address of [sender.target.address, sender.source.address]) known.set(address, sender);
    return;
  }
  const wrong = problem(place);
  if (wrong) return refuse(sender, ...wrong);
  const partition = hubs.get(place.hub).partitions[Number(place.partition)];
  sender.reader = { partition, next: partition.start(JSON.stringify(sender.source.filter || {})) };
  partition.readers.add(sender);
});

container.on('message', ({ message: received, receiver, delivery, connection }) => {
  if (!receiver.place) return; // refused above
  receiver.add_credit(1);
  const { hub, partition: asked, special } = receiver.place;
  const whole = Buffer.isBuffer(received) ? message.decode(received) : received;
  if (special) return answer(special, whole, connection);
  const key = (whole.message_annotations || {})['x-opt-partition-key'];
  const partition = hubs.get(hub).partitions[hubs.get(hub).choose(asked, key)];
  if (delivery.format === BATCH_FORMAT) {
    for (const part of [].concat(whole.body.content)) partition.append(message.decode(part), key, part.length);
  } else {
    partition.append(whole, key, size(whole));
  }
  partition.readers.forEach(pump);
});

// The bytes of a single event's body, for the offset of the next one.
function size(event) {
  const content = event.body && event.body.content !== undefined ? event.body.content : event.body;
  return [].concat(content ?? []).reduce((sum, part) => sum + Buffer.byteLength(part), 64);
}

// Tokens are all accepted; $management describes a hub or a partition.
function answer(special, request, connection) {
  const asked = request.application_properties || {};
  let [code, body] = [special === 'cbs' ? 202 : 200, null];
  if (special === 'management') {
    const hub = hubs.get(asked.name);
    const base = { name: asked.name, type: asked.type };
    if (!hub) code = 404;
    else if (asked.type === 'com.microsoft:eventhub')
      body = {
        ...base,
        created_at: types.wrap_timestamp(CREATED),
        partition_count: types.wrap_int(partitions),
        partition_ids: types.wrap_array(hub.partitions.map((_, i) => String(i)), 0xa1),
      };
    else if (hub.partitions[Number(asked.partition)])
      body = { ...base, partition: asked.partition, ...hub.partitions[Number(asked.partition)].properties() };
    else code = 404;
  }
  const known = replies.get(connection) || new Map();
  const sender = known.get(request.reply_to) || known.get(`$${special}`);
  if (!sender) return;
  sender.send({
    correlation_id: request.message_id,
    application_properties: { 'status-code': types.wrap_int(code), 'status-description': code < 400 ? 'OK' : 'Not found' },
    body: body && types.wrap_map(body),
  });
}

// Send a reader what is there, as far as its credit and the session's window go.
function pump(sender) {
  const { reader } = sender;
  while (sender.sendable() && reader.next < reader.partition.events.length) {
    const event = reader.partition.events[reader.next++];
    const annotations = {
      ...(event.message.message_annotations || {}),
      'x-opt-sequence-number': types.wrap_long(event.sequence),
      'x-opt-offset': String(event.offset),
      'x-opt-enqueued-time': types.wrap_timestamp(event.at),
    };
    if (event.key != null) annotations['x-opt-partition-key'] = event.key;
    sender.send({ ...event.message, message_annotations: annotations });
  }
}

function forget(sender) {
  if (sender.reader) sender.reader.partition.readers.delete(sender);
}

container.on('sendable', ({ sender }) => sender.reader && pump(sender));
container.on('sender_close', ({ sender }) => forget(sender));
container.on('disconnected', ({ connection }) => {
  replies.delete(connection);
  for (const hub of hubs.values())
    for (const partition of hub.partitions)
      for (const sender of partition.readers) if (sender.connection === connection) partition.readers.delete(sender);
});
// The SDK's client closes links in an order that rhea reports as errors; they are nobody's fault and end nothing.
for (const name of ['connection_error', 'session_error', 'error', 'protocol_error'])
  container.on(name, (context) => console.error(name, String((context.error || context).message || context)));

const listener = container.listen({ host: '127.0.0.1', port, max_frame_size: 65536, channel_max: 255 });
listener.on('listening', () => console.log(JSON.stringify({ port: listener.address().port, hubs: names, partitions })));
process.on('SIGTERM', () => process.exit(0));
