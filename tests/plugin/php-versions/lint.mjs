// node lint.mjs <folder with node_modules> <7-4 | 8-4> <file>…: one line of JSON per file, {file, trouble}; trouble is "" when PHP compiles it.
// Each file is started outside of WordPress, so it is compiled whole and ends at its own `defined( … ) || exit`.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , folder, version, ...files] = process.argv;
const load = (name) => import(pathToFileURL(`${folder}/node_modules/${name}`).href);
const { PHP, loadPHPRuntime } = await load('@php-wasm/universal/index.js');
const { getPHPLoaderModule } = await load(`@php-wasm/node-${version}/index.js`);
const php = new PHP(await loadPHPRuntime(await getPHPLoaderModule()));
php.mkdir('/lint');
for (const file of files) {
	let trouble = '';
	php.writeFile('/lint/file.php', readFileSync(file));
	try {
		const ran = await php.run({ scriptPath: '/lint/file.php' });
		trouble = (ran.text + ran.errors).trim();
	} catch (thrown) {
		trouble = String(thrown.message);
	}
	console.log(JSON.stringify({ file, trouble }));
}
process.exit(0);
