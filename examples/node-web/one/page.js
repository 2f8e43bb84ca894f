/** The page; everything in it is ours, nothing comes from the request. */
export function page({ version, color, instance }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>node-web ${version}</title>
<style>
body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center;
  background: ${color}; color: #fff; font-family: system-ui, sans-serif }
h1 { font-size: 6rem; margin: 0 }
</style>
</head>
<body>
<main>
<h1>${version}</h1>
<p>answered by ${instance}</p>
</main>
</body>
</html>
`
}
