autocmd BufNewFile,BufRead *.wst setfiletype wst
