// Installs a wheel with micropip, offline, into Python in WebAssembly, and runs the program on standard input there.
// node in_pyodide.mjs FOLDER_OF_PYODIDE WHEEL; what the program leaves in `answer` is printed.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

process.on("uncaughtException", (error) => {
  console.error(error.message); // without the source line, which is a whole minified program
  process.exit(1);
});
const [folder, wheel] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "node_modules", "pyodide", "pyodide.mjs")));
const pyodide = await loadPyodide();
const tools = join(folder, "wheels");
for (const name of readdirSync(tools)) {
  pyodide.unpackArchive(new Uint8Array(readFileSync(join(tools, name))), "wheel");
}
pyodide.FS.writeFile(`/tmp/${basename(wheel)}`, readFileSync(wheel));
await pyodide.runPythonAsync(`import micropip\nawait micropip.install("emfs:/tmp/${basename(wheel)}")`);
await pyodide.runPythonAsync(readFileSync(0, "utf8"));
console.log(pyodide.globals.get("answer"));
