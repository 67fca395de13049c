MOST = 3
COLUMN = "price"
OTHER = 7
