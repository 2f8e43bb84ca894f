/* One file of a package's program and everything it uses, so that it runs where no checkout is. */
import { join } from 'node:path'

import { build } from 'vite'

export type Bundle = {
  /** The package, whose program is `src/main.ts`. */
  readonly source: string
  readonly folder: string
  readonly file: string
  /** The first line of the file. */
  readonly banner?: string
}

/** @returns path of the file */
export async function bundleProgram({ source, folder, file, banner }: Bundle): Promise<string> {
  await build({
    configFile: false,
    root: source,
    logLevel: 'error',
    // The packages of the checkout are taken from their sources, as everywhere in development.
    ssr: { noExternal: true, resolve: { conditions: ['source', 'node', 'import', 'default'] } },
    build: {
      ssr: join(source, 'src/main.ts'),
      outDir: folder,
      emptyOutDir: false,
      target: 'node24',
      minify: true,
      rolldownOptions: {
        output: {
          format: 'es',
          entryFileNames: file,
          codeSplitting: false,
          ...(banner === undefined ? {} : { banner }),
        },
      },
    },
  })
  return join(folder, file)
}
