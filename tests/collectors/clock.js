// Preloaded into statsd (node -r).
//
// Gives statsd 0.9.0 back util.log, which Node 23 and later no longer have.
// With CLOCK set, its time is what that file says, in seconds since 1970, and
// runs on from there SPEED times as fast as the world, but never further than
// STEP seconds: the demo plays a day in a minute, and waits if it is late.
// Timers are as fast.
"use strict";
const fs = require("fs");
const util = require("util");
if (!util.log) util.log = (...words) => console.log(...words);

if (process.env.CLOCK) {
  const Real = Date;
  const speed = Number(process.env.SPEED), step = Number(process.env.STEP);
  const now = () => {
    const said = Number(fs.readFileSync(process.env.CLOCK, "utf8"));
    const since = Real.now() - fs.statSync(process.env.CLOCK).mtimeMs;
    return said * 1000 + Math.min(since * speed, (step - 1) * 1000);
  };
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
