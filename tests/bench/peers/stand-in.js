// A stand-in, not anybody's program: a drain made of the packages that drains
// in Node are made of, in the way that their manuals show.
"use strict";

const bodyParser = require("body-parser");
const express = require("express");
const logfmt = require("logfmt");
const StatsD = require("hot-shots");

const { CREDENTIALS, COLLECTOR, PORT } = process.env;
const authorization = "Basic " + Buffer.from(CREDENTIALS).toString("base64");
const statsd = new StatsD({ host: "127.0.0.1", port: Number(COLLECTOR) });

function readCode(line) {
  const error = / Error ([RL]\d{2,3})\b/.exec(line);
  if (error) return error[1];
  const pairs = logfmt.parse(line);
  return ["error", "warning"].includes(pairs.at) ? pairs.code : undefined;
}

const app = express();
app.use(bodyParser.text({ type: "application/logplex-1", limit: "8mb" }));
app.post("/:app/logs", (request, response) => {
  if (request.get("authorization") !== authorization)
    return response.sendStatus(401);
  for (const line of request.body.split("\n")) {
    const code = readCode(line);
    if (code) statsd.increment(`${request.params.app}.heroku.errors.${code}`);
  }
  response.sendStatus(201);
});
app.listen(Number(PORT), "127.0.0.1");
