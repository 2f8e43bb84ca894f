/* One file of a package's program and everything it uses, so that it runs where no checkout is. */
import { join } from 'node:path'

import { build } from 'vite'

export type Bundle = {
  /** The package. */
  readonly source: string
  /** Below the package; `src/main.ts` unless told. */
  readonly entry?: string
  readonly folder: string
  readonly file: string
  /** The first line of the file. */
  readonly banner?: string
}

/** @returns path of the file */
export async function bundleProgram({ source, entry, folder, file, banner }: Bundle): Promise<string> {
  await build({
    configFile: false,
    root: source,
    logLevel: 'error',
    // The packages of the checkout are taken from their sources, as everywhere in development. Whether something is imported or
    // required is not said here: what is required must not be given the other form of a package.
    ssr: { noExternal: true, resolve: { conditions: ['source', 'node', 'default'] } },
    build: {
      ssr: join(source, entry ?? 'src/main.ts'),
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
