// Prints the checksum that TestNumbersAsECMAScriptWritesThem keeps:
//
//	node numbers.js
//
// 200,000 doubles from splitmix64: every other one is any bit pattern, the rest are
// decimal fractions of moderate size, as requests hold them. Each is written by
// JSON.stringify, the original of RFC 8785's number format, on a line of its own.
const mask = (1n << 64n) - 1n;
let state = 42n;
function next() {
  state = (state + 0x9e3779b97f4a7c15n) & mask;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}
const view = new DataView(new ArrayBuffer(8));
const hash = require("crypto").createHash("sha256");
for (let i = 0; i < 200000; i++) {
  const bits = next();
  let f;
  if (i % 2 === 0) {
    view.setBigUint64(0, bits);
    f = view.getFloat64(0);
    if (!Number.isFinite(f)) f = 0;
  } else {
    f = Number(bits >> 40n) / [1, 10, 1e3, 1e7, 1e12, 1e-5, 1e-15, 1e22][Number(bits & 7n)];
  }
  hash.update(JSON.stringify(f) + "\n");
}
console.log(hash.digest("hex"));
