// Preloaded into statsd (node -r).
//
// Gives statsd 0.9.0 back util.log, which Node 23 and later no longer have.
// With SPEED set, its clock runs that many times faster, timers included, and
// shows START when it is BEGAN (both in seconds since 1970): the demo plays a
// day in a minute.
"use strict";
const util = require("util");
if (!util.log) util.log = (...words) => console.log(...words);

const speed = Number(process.env.SPEED || 0);
if (speed > 0) {
  const Real = Date;
  const start = process.env.START * 1000, began = process.env.BEGAN * 1000;
  const now = () => start + (Real.now() - began) * speed;
  global.Date = class extends Real {
    constructor(...given) {
      if (given.length > 0) super(...given);
      else super(now());
    }
    static now() { return now(); }
  };
  for (const name of ["setTimeout", "setInterval"]) {
    const real = global[name];
    global[name] = (what, ms, ...rest) => real(what, ms / speed, ...rest);
  }
}
