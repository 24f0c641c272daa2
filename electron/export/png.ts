import { createRequire } from 'node:module';
import { Resvg } from '@resvg/resvg-js';
import { RemoraError } from '../../shared/errors.ts';

/** 4 bytes each while they are drawn. */
const MOST_PIXELS = 100e6;

/**
 * The fonts that charts are set in come with Remora, as servers often have none. They are found from where this file (or
 * the bundle that holds it) is, like any other dependency.
 */
const require = createRequire(import.meta.url);
const fontFiles = (): string[] =>
  ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono'].map((name) =>
    require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`),
  );

/**
 * An SVG chart as PNG, `scale` pixels to the px. Fonts of the machine are not used, so the bytes are the same everywhere:
 * characters that DejaVu lacks (East Asian ones) are boxes. Throws `bad-request` where the picture would not fit into
 * memory with ease.
 */
export function renderPng(svg: string, scale = 1): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: scale },
    font: {
      loadSystemFonts: false,
      fontFiles: fontFiles(),
      defaultFontFamily: 'DejaVu Sans',
      sansSerifFamily: 'DejaVu Sans',
      monospaceFamily: 'DejaVu Sans Mono',
    },
  });
  const pixels = image.width * scale * (image.height * scale);
  if (pixels > MOST_PIXELS) {
    throw new RemoraError({
      code: 'bad-request',
      message: `${image.width * scale} × ${image.height * scale} pixels are too many for a PNG (at most ${MOST_PIXELS / 1e6} million): choose a smaller size, or SVG`,
    });
  }
  return new Uint8Array(image.render().asPng());
}
