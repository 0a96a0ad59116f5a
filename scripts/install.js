// Placeholder until native/ lands; replaced on its branch.
