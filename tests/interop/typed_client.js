// SPDX-License-Identifier: MIT
// typed_client.js PORT MODULE: npm's @msgpack/msgpack, which lies in the folder MODULE, against typed_server, both ways. Exits
// with 0 if all was as it should be.
"use strict";
const net = require("net");
const assert = require("assert");
const [port, folder] = process.argv.slice(2);
const { encode, decode } = require(folder);

const LIMIT_MS = 60000;
const options = { useBigInt64: true };
const bytes = (...values) => Uint8Array.from(values);
const VALUES = [
  null, true, false, 0, 127, 128, 255, 65535, 65536, 2 ** 32 - 1, -1, -32, -33, -129, -32769, 2n ** 63n, 2n ** 64n - 1n, -(2n ** 63n),
  1.5, 1e300, "", "a".repeat(31), "b".repeat(32), "c".repeat(256), "e".repeat(70000), "grüß 🎲", bytes(), new Uint8Array(256),
  new Uint8Array(70000).fill(255), [], [...Array(16).keys()], {}, { k: "v" },
  Object.fromEntries([...Array(70).keys()].map((i) => [`k${i}`, [null, { deep: [bytes(1)] }]])),
];
const LITERALS = {
  u: 2n ** 64n - 1n, i: -(2n ** 63n), f: 1.5, s: "grüß dich", b: bytes(0, 1, 255), n: null, t: true, a: [1, [-2]], m: { k: "v" },
};

const sock = net.connect(Number(port), "127.0.0.1");
sock.setTimeout(LIMIT_MS, () => { throw new Error("no answer in time"); });
const waiting = [];
let done = false;
sock.on("error", (error) => { if (!done) throw error; }); // the server ends without a farewell
let input = Buffer.alloc(0);
sock.on("data", (piece) => {
  input = Buffer.concat([input, piece]);
  while (input.length >= 4 && input.length >= 4 + input.readUInt32BE(0)) {
    const size = input.readUInt32BE(0);
    waiting.shift()(Uint8Array.from(input.subarray(4, 4 + size)));
    input = input.subarray(4 + size);
  }
});
sock.on("end", () => { assert.strictEqual(waiting.length, 0, "the server has gone"); });

function send(payload) {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(payload.length);
  sock.write(Buffer.concat([header, payload]));
}

function ask(payload) {
  send(payload);
  return new Promise((resolve) => { waiting.push(resolve); });
}

// What 64-bit numbers come as is the decoder's choice: compared as text.
const same = (value) => JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one instanceof Uint8Array ? [...one] : one));

async function main() {
  for (const [index, value] of VALUES.entries()) {
    const number = index + 1;
    const got = await ask(encode([1, number, value], options));
    assert.strictEqual(same(decode(got, options)), same([1, -number, value]), `value ${number}`);
    assert.deepStrictEqual([...got], [...encode([1, -number, value], options)], `bytes of value ${number}`);
  }
  assert.strictEqual(same(decode(await ask(encode([2, 7, null])), options)), same([2, -7, LITERALS]));
  assert.strictEqual(same(decode(await ask(encode([3, 7, LITERALS], options)))), same([3, -7, "ok"]));
  for (const hostile of [bytes(0xdd, 0x10, 0, 0, 0), new Uint8Array(1000).fill(0x91), bytes(), encode([1, null, new Date(0)])]) {
    const [kind, request, body] = decode(await ask(hostile));
    assert.deepStrictEqual([kind, request, Object.keys(body)], [0, null, ["code", "text"]]);
  }
  done = true;
  send(encode([4, null, null]));
  console.log(`@msgpack/msgpack: ${VALUES.length} values and ${Object.keys(LITERALS).length} literals, both ways`);
  sock.end();
}

main().catch((error) => { console.error(error); process.exit(1); });
