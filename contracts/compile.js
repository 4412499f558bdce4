// Compiles what standard input names, in the compiler's own JSON, without a file read elsewhere.
const compiler = require("solc/soljson.js");
const compile = compiler.cwrap("solidity_compile", "string", ["string", "number", "number"]);
process.stdout.write(compile(require("fs").readFileSync(0, "utf8"), 0, 0));
